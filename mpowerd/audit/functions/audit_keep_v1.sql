-- Keep a signed checkpoint, if it follows the last one and its leaves are there; says whether it was kept.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.audit_keep_v1(
    size bigint, root bytea, at text, term bigint, signature bytea, peaks bytea, follows bigint
) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
#variable_conflict use_variable
BEGIN
    PERFORM pg_advisory_xact_lock(77004);
    INSERT INTO mpower.audit_checkpoints (size, root, at, term, signature, peaks)
        SELECT size, root, at, term, signature, peaks
        WHERE follows = coalesce((SELECT max(c.size) FROM mpower.audit_checkpoints c), 0)
            AND size > follows AND EXISTS (SELECT FROM mpower.audit_leaves l WHERE l.leaf = size - 1);
    RETURN FOUND;
END
$$;
REVOKE ALL ON FUNCTION mpower.audit_keep_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.audit_keep_v1 TO mpower_app;
