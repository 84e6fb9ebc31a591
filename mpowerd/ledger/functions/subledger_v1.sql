-- What makes up a group of accounts: each account that stands at anything, by consumer or counter; a page, with the count
-- and sums of all in each row. And one account's business dates, with its balance after each.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.subledger_v1(of_kind text, of_slot integer, after text, most integer)
RETURNS TABLE (name text, balance bigint, of_accounts bigint, of_debit bigint, of_credit bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp SET jit = off AS $$
    WITH own AS (
        SELECT CASE of_kind WHEN 'CONSUMER' THEN lpad((a.account >> 4)::text, 10, '0') WHEN 'BOARD' THEN 'HO'
            ELSE coalesce((SELECT c.code FROM mpower.counters c WHERE c.counter_id = -a.account >> 4), '?') END
            COLLATE "C" AS name, a.balance_paise AS balance
        FROM mpower.accounts a
        WHERE a.balance_paise <> 0 AND abs(a.account) % 16 = of_slot AND of_kind =
            CASE WHEN a.account >= 0 THEN 'CONSUMER' WHEN a.account > -16 THEN 'BOARD' ELSE 'COUNTER' END
    ), whole AS (
        SELECT count(*) AS accounts, coalesce(sum(o.balance) FILTER (WHERE o.balance > 0), 0)::bigint AS debit,
            coalesce(-sum(o.balance) FILTER (WHERE o.balance < 0), 0)::bigint AS credit FROM own o
    )
    SELECT p.name, p.balance, w.accounts, w.debit, w.credit FROM whole w LEFT JOIN (
        SELECT o.* FROM own o WHERE o.name > after ORDER BY o.name LIMIT most + 1) p ON true ORDER BY p.name
$$;
REVOKE ALL ON FUNCTION mpower.subledger_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.subledger_v1 TO mpower_officer, mpower_ops, mpower_admin;
