-- One receipt of money that found no consumer: its amount, day and what became of it ('TAKEN': nothing). No row: there is no
-- such receipt, or it has a consumer.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.suspended_v1(counter_code text, financial_year smallint, number integer)
RETURNS TABLE (receipt bigint, day date, paise bigint, state text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT r.receipt, r.day, r.amount_paise, coalesce((SELECT e.state FROM mpower.receipt_events e
        WHERE e.receipt = r.receipt ORDER BY e.step DESC LIMIT 1), 'TAKEN')
    FROM mpower.counters c JOIN mpower.requests r ON r.receipt = mpower.receipt_id(c.counter_id,
        suspended_v1.financial_year, suspended_v1.number) AND r.consumer IS NULL
    WHERE c.code = counter_code
$$;
REVOKE ALL ON FUNCTION mpower.suspended_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.suspended_v1 TO mpower_officer;
