-- The root that the checkpoint over the first `size` heads was signed for; null: there is no such checkpoint.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.audit_root_v1(size bigint) RETURNS bytea
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT (SELECT c.root FROM mpower.audit_checkpoints c WHERE c.size = audit_root_v1.size)
$$;
REVOKE ALL ON FUNCTION mpower.audit_root_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.audit_root_v1 TO mpower_app;
