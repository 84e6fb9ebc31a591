-- How much a proof of the ledger looks at, as the server last counted it (or now, if it never did): accounts, and in how
-- many parts. A part of a million entries takes a small machine about ten seconds, which a report's deadline allows twice.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.ledger_size_v1(OUT parts integer, OUT accounts bigint) LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT 1 + (greatest(e.reltuples, 0)::bigint / 1000000)::integer,
            CASE WHEN a.reltuples > 0 THEN a.reltuples::bigint ELSE (SELECT count(*) FROM mpower.accounts) END
    FROM pg_class e, pg_class a
    WHERE e.oid = 'mpower.entries'::regclass AND a.oid = 'mpower.accounts'::regclass
$$;
REVOKE ALL ON FUNCTION mpower.ledger_size_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.ledger_size_v1 TO mpower_officer, mpower_ops, mpower_admin;
