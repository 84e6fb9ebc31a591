-- Every group of accounts at the end of a business date (null: now): how many of them stand at anything, the sum of those
-- in debit and of those in credit. What came later is taken off what stands now, in one snapshot: most of the time nothing.

SET LOCAL ROLE mpower_owner;

-- The balances at the end of a business date.
CREATE FUNCTION mpower.balances_on(until date) RETURNS TABLE (account bigint, balance_paise bigint)
LANGUAGE sql STABLE SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT a.account, a.balance_paise - coalesce(t.paise, 0)::bigint FROM mpower.accounts a LEFT JOIN (
        SELECT l.account, sum(l.amount_paise) AS paise FROM (
            SELECT r.receipt AS voucher FROM mpower.requests r WHERE r.day > until AND r.receipt IS NOT NULL
            UNION ALL
            SELECT v.voucher FROM mpower.vouchers v WHERE v.day > until) late
        JOIN mpower.ledger_lines l USING (voucher) GROUP BY l.account) t ON t.account = a.account
$$;

CREATE FUNCTION mpower.trial_balance_v1(until date)
RETURNS TABLE (kind text, slot integer, accounts bigint, debit bigint, credit bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp SET jit = off AS $$
    SELECT k.kind, k.slot, count(*), coalesce(sum(b.balance_paise) FILTER (WHERE b.balance_paise > 0), 0)::bigint,
        coalesce(-sum(b.balance_paise) FILTER (WHERE b.balance_paise < 0), 0)::bigint
    FROM mpower.balances_on(until) b CROSS JOIN LATERAL (SELECT
        CASE WHEN b.account >= 0 THEN 'CONSUMER' WHEN b.account > -16 THEN 'BOARD' ELSE 'COUNTER' END AS kind,
        (abs(b.account) % 16)::integer AS slot) k
    WHERE b.balance_paise <> 0 GROUP BY 1, 2 ORDER BY 1, 2
$$;
REVOKE ALL ON FUNCTION mpower.trial_balance_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.trial_balance_v1 TO mpower_officer, mpower_ops, mpower_admin;
