-- How much a proof of the ledger would look at: as the server last counted it, without counting.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.ledger_size_v1(OUT entries bigint, OUT accounts bigint) LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT greatest(e.reltuples, 0)::bigint, greatest(a.reltuples, 0)::bigint FROM pg_class e, pg_class a
    WHERE e.oid = 'mpower.entries'::regclass AND a.oid = 'mpower.accounts'::regclass
$$;
REVOKE ALL ON FUNCTION mpower.ledger_size_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.ledger_size_v1 TO mpower_officer, mpower_ops, mpower_admin;
