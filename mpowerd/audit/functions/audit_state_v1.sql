-- How far the log and its checkpoints go: the newest checkpoint, how many there are, and the leaves.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.audit_state_v1() RETURNS TABLE (
    leaves bigint, checkpoints bigint, size bigint, root bytea, at text, term bigint, signature bytea
) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT coalesce((SELECT max(l.leaf) + 1 FROM mpower.audit_leaves l), 0),
        (SELECT count(*) FROM mpower.audit_checkpoints), c.size, c.root, c.at, c.term, c.signature
    FROM (SELECT) one LEFT JOIN (SELECT * FROM mpower.audit_checkpoints n ORDER BY n.size DESC LIMIT 1) c ON true
$$;
REVOKE ALL ON FUNCTION mpower.audit_state_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.audit_state_v1 TO mpower_ops, mpower_admin;
