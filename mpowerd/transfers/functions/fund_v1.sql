-- What a counter or bank link holds in one of its accounts, and whose office it is. No row: no such counter.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.fund_v1(counter_code text, slot integer) RETURNS TABLE (account bigint, office text, paise bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT a.account, c.office, a.balance_paise FROM mpower.counters c
    JOIN mpower.accounts a ON a.account = -(c.counter_id::bigint * 16 + slot) WHERE c.code = counter_code
$$;
REVOKE ALL ON FUNCTION mpower.fund_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.fund_v1 TO mpower_officer;
