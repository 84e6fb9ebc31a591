-- What verification posted to the heads on a business date out of the receipts of these counters, and what came back of
-- them with a dishonoured instrument, by slot. With the cash book's other figures it is the day's change of the trial
-- balance: awaiting verification by received - cancelled - posted, each head by returned - posted.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.heads_posted_v1(of_office text, at_counter text, of_day date)
RETURNS TABLE (slot integer, posted bigint, returned bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp SET jit = off AS $$
    WITH places AS MATERIALIZED (
        SELECT c.counter_id FROM mpower.counters c WHERE c.kind <> 'BANK' AND mpower.office_within(c.office, of_office)
            AND (at_counter = '' OR c.code = at_counter)
    ), told AS (  -- each of these vouchers is of receipts of one counter
        SELECT v.voucher, v.kind, (SELECT (e.receipt >> 38)::integer FROM mpower.receipt_events e
            WHERE e.voucher = v.voucher LIMIT 1) AS counter_id
        FROM mpower.vouchers v WHERE v.day = of_day AND v.kind IN ('VERIFY', 'DISHONOUR')
    )
    SELECT (h.head % 16)::integer, coalesce(sum(l.amount_paise) FILTER (WHERE t.kind = 'VERIFY'), 0)::bigint,
        coalesce(sum(l.amount_paise) FILTER (WHERE t.kind = 'DISHONOUR'), 0)::bigint
    FROM told t JOIN places USING (counter_id) JOIN mpower.entries l USING (voucher)
    CROSS JOIN LATERAL (SELECT CASE t.kind WHEN 'VERIFY' THEN l.credit ELSE l.debit END AS head) h
    WHERE h.head >= 0 AND h.head % 16 > 0 GROUP BY 1 ORDER BY 1
$$;
REVOKE ALL ON FUNCTION mpower.heads_posted_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.heads_posted_v1 TO mpower_officer;
