-- What the receipts of these counters have posted to the heads on a business date, by slot; slot 0 is what was taken on it
-- and awaits verification.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.heads_posted_v1(of_office text, at_counter text, of_day date)
RETURNS TABLE (slot integer, paise bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp SET jit = off AS $$
    WITH places AS MATERIALIZED (
        SELECT c.counter_id FROM mpower.counters c WHERE c.kind <> 'BANK' AND mpower.office_within(c.office, of_office)
            AND (at_counter = '' OR c.code = at_counter)
    ), posted AS (  -- a voucher verifies receipts of one counter
        SELECT v.voucher, (SELECT (e.receipt >> 38)::integer FROM mpower.receipt_events e WHERE e.voucher = v.voucher LIMIT 1)
            AS counter_id
        FROM mpower.vouchers v WHERE v.day = of_day AND v.kind = 'VERIFY'
    )
    SELECT (l.credit % 16)::integer, sum(l.amount_paise)::bigint FROM posted JOIN places USING (counter_id)
        JOIN mpower.entries l USING (voucher) WHERE l.credit >= 0 AND l.credit % 16 > 0 GROUP BY 1
    UNION ALL
    SELECT 0, sum(r.amount_paise)::bigint FROM mpower.requests r JOIN places p ON p.counter_id = (r.receipt >> 38)::integer
        WHERE r.day = of_day AND r.receipt IS NOT NULL
            AND NOT EXISTS (SELECT FROM mpower.receipt_events e WHERE e.receipt = r.receipt AND e.step = 1)
        HAVING sum(r.amount_paise) > 0
    ORDER BY 1
$$;
REVOKE ALL ON FUNCTION mpower.heads_posted_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.heads_posted_v1 TO mpower_officer;
