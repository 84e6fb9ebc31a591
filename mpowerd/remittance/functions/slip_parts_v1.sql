-- What each counter has on a slip.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.slip_parts_v1(which integer) RETURNS TABLE (counter text, paise bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT c.code, sum(l.amount_paise)::bigint FROM mpower.slips s JOIN mpower.ledger_lines l USING (voucher)
        JOIN mpower.counters c ON l.account = -(c.counter_id::bigint * 16 + 8)
        WHERE s.slip = which GROUP BY c.code ORDER BY c.code
$$;
REVOKE ALL ON FUNCTION mpower.slip_parts_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.slip_parts_v1 TO mpower_officer;
