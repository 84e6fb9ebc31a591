-- What an office has for the bank, as it would stand on slips: of each kind, bank and place how many receipts, how much,
-- how many of them await verification. Cash is what closed shifts handed in.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.to_remit_v1(of_office text)
RETURNS TABLE (kind text, bank text, place text, receipts bigint, paise bigint, unverified bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT 'CASH', '', '', coalesce(sum(r.receipts), 0)::bigint, sum(c.paise)::bigint, coalesce(sum(r.unverified), 0)::bigint
        FROM mpower.cash_to_remit c CROSS JOIN LATERAL (
            SELECT count(*) AS receipts, count(*) FILTER (WHERE NOT t.verified) AS unverified FROM mpower.to_remit t
            WHERE t.shift = c.shift AND t.kind = 'CASH') r
        WHERE c.office = of_office HAVING sum(c.paise) <> 0 OR sum(r.receipts) > 0
    UNION ALL
    (SELECT t.kind, t.bank, t.place, count(*), sum(t.paise)::bigint, count(*) FILTER (WHERE NOT t.verified)
        FROM mpower.to_remit t WHERE t.office = of_office AND t.kind <> 'CASH'
        GROUP BY t.kind, t.bank, t.place ORDER BY t.kind, t.bank, t.place)
$$;
REVOKE ALL ON FUNCTION mpower.to_remit_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.to_remit_v1 TO mpower_officer;
