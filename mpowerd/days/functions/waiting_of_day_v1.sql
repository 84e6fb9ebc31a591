-- What was taken on a business date and was not verified when it ended (the open day: is not yet), by counter and bank link
-- of an office and below it. It stays as it was, whatever is verified later. Money in suspense has no consumer and waits
-- for nobody's verification. Planned for the date that is asked for, so that only its receipts are read.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.waiting_of_day_v1(of_office text, at_counter text, of_day date)
RETURNS TABLE (counter text, kind text, receipts bigint, paise bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp SET jit = off
SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH places AS MATERIALIZED (
        SELECT c.counter_id, c.code, c.kind FROM mpower.counters c
            WHERE mpower.office_within(c.office, of_office) AND (at_counter = '' OR c.code = at_counter)
    )
    SELECT c.code, c.kind, count(*), sum(r.amount_paise)::bigint
    FROM mpower.requests r JOIN places c ON c.counter_id = (r.receipt >> 38)::integer
    WHERE r.day = of_day AND r.receipt IS NOT NULL AND r.consumer IS NOT NULL
        AND NOT EXISTS (SELECT FROM mpower.receipt_events e WHERE e.receipt = r.receipt AND e.step = 1 AND e.day <= of_day)
    GROUP BY c.code, c.kind ORDER BY c.code;
END
$$;
REVOKE ALL ON FUNCTION mpower.waiting_of_day_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.waiting_of_day_v1 TO mpower_officer;
