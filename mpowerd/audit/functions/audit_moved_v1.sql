-- Has any chain a head that no checkpoint covers yet?

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.audit_moved_v1() RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT EXISTS (SELECT FROM mpower.audit_heads() h
            WHERE NOT EXISTS (SELECT FROM mpower.audit_leaves k WHERE k.link = h.link))
        OR coalesce((SELECT max(l.leaf) + 1 FROM mpower.audit_leaves l), 0)
            > coalesce((SELECT max(c.size) FROM mpower.audit_checkpoints c), 0)
$$;
REVOKE ALL ON FUNCTION mpower.audit_moved_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.audit_moved_v1 TO mpower_app;
