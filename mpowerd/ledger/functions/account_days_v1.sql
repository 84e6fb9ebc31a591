-- One account's business dates: debits, credits and the balance after each; a page, with the count and sums of all in each
-- row. No row: there is no such account. owner: a counter's code, a consumer's ten digits, or 'HO'.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.account_days_v1(owner text, of_kind text, of_slot integer, after date, most integer)
RETURNS TABLE (day date, debit bigint, credit bigint, balance bigint, of_days bigint, of_debit bigint, of_credit bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp SET jit = off AS $$
    WITH own AS (
        SELECT c.consumer * 16 + of_slot AS account FROM mpower.consumers c  -- a head may never have been touched
            WHERE of_kind = 'CONSUMER' AND c.consumer = CASE WHEN owner ~ '^[0-9]{10}$' THEN owner::bigint END
        UNION ALL
        SELECT a.account FROM mpower.accounts a WHERE a.account = CASE of_kind
            WHEN 'CONSUMER' THEN NULL
            WHEN 'BOARD' THEN CASE WHEN owner = 'HO' THEN -of_slot END
            ELSE (SELECT -(c.counter_id::bigint * 16 + of_slot) FROM mpower.counters c WHERE c.code = owner) END
    ), days AS (
        SELECT coalesce(v.day, r.day) AS day, sum(e.amount_paise) FILTER (WHERE e.debit = own.account) AS debit,
            sum(e.amount_paise) FILTER (WHERE e.credit = own.account) AS credit
        FROM own JOIN mpower.entries e ON own.account IN (e.debit, e.credit)
        LEFT JOIN mpower.vouchers v ON v.voucher = e.voucher LEFT JOIN mpower.requests r ON r.receipt = e.voucher
        GROUP BY 1
    ), running AS (
        SELECT d.day, coalesce(d.debit, 0)::bigint AS debit, coalesce(d.credit, 0)::bigint AS credit,
            sum(coalesce(d.debit, 0) - coalesce(d.credit, 0)) OVER (ORDER BY d.day)::bigint AS balance FROM days d
    ), whole AS (
        SELECT count(*) AS days, coalesce(sum(u.debit), 0)::bigint AS debit, coalesce(sum(u.credit), 0)::bigint AS credit
        FROM running u
    )
    SELECT p.day, p.debit, p.credit, p.balance, w.days, w.debit, w.credit FROM own CROSS JOIN whole w LEFT JOIN (
        SELECT u.* FROM running u WHERE after IS NULL OR u.day > after ORDER BY u.day LIMIT most + 1) p ON true
    ORDER BY p.day
$$;
REVOKE ALL ON FUNCTION mpower.account_days_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.account_days_v1 TO mpower_officer, mpower_ops, mpower_admin;
