-- Append the heads that have moved to the log. Of what is committed when this commits: signed only after this has passed
-- the ack gate. Gives the last checkpoint (none: size 0) and the leaves since it, oldest first, at most `most`.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.audit_grow_v1(
    most integer, OUT size bigint, OUT root bytea, OUT at text, OUT term bigint, OUT signature bytea, OUT peaks bytea,
    OUT links bigint[], OUT hashes bytea[], OUT moment timestamptz, OUT now_term bigint
) LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
#variable_conflict use_column
DECLARE
    last bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(77004);
    SELECT coalesce(max(l.leaf), -1) INTO last FROM mpower.audit_leaves l;
    INSERT INTO mpower.audit_leaves (leaf, link, hash)
        SELECT last + row_number() OVER (ORDER BY h.link), h.link, h.hash FROM mpower.audit_heads() h
        WHERE NOT EXISTS (SELECT FROM mpower.audit_leaves k WHERE k.link = h.link);
    SELECT c.size, c.root, c.at, c.term, c.signature, c.peaks
        INTO audit_grow_v1.size, audit_grow_v1.root, audit_grow_v1.at, audit_grow_v1.term, audit_grow_v1.signature,
            audit_grow_v1.peaks
        FROM mpower.audit_checkpoints c ORDER BY c.size DESC LIMIT 1;
    audit_grow_v1.size := coalesce(audit_grow_v1.size, 0);
    SELECT coalesce(array_agg(n.link ORDER BY n.leaf), '{}'), coalesce(array_agg(n.hash ORDER BY n.leaf), '{}')
        INTO links, hashes FROM (
            SELECT l.leaf, l.link, l.hash FROM mpower.audit_leaves l WHERE l.leaf >= audit_grow_v1.size
            ORDER BY l.leaf LIMIT most) n;
    moment := now();
    SELECT f.term INTO now_term FROM cluster.fence f;
END
$$;
REVOKE ALL ON FUNCTION mpower.audit_grow_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.audit_grow_v1 TO mpower_app;
