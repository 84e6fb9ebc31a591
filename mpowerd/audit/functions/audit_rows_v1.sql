-- The rows of an export after (after_link, after_position), of the links from first_link to last_link of one chain: each
-- with its link and what of it is hashed. The export itself must have been asked for, by this user and within a day.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.audit_rows_v1(
    counter text, client uuid, sequence bigint, actor text, first_link bigint, last_link bigint, after_link bigint,
    after_position integer, most integer
) RETURNS TABLE (
    link bigint, at timestamptz, term bigint, covers integer, previous bytea, hash bytea, kind text, place integer,
    evidence bytea
) LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
#variable_conflict use_column
BEGIN
    PERFORM mpower.audit_export_v1(counter, client, sequence, actor);
    RETURN QUERY
        SELECT l.link, l.at, l.term, l.covers, l.previous, l.hash, c.kind, c.position::integer, c.evidence
        FROM (
            SELECT k.* FROM mpower.audit_links k WHERE k.link BETWEEN greatest(first_link, after_link) AND last_link
            ORDER BY k.link LIMIT most + 1) l
        CROSS JOIN LATERAL (
            SELECT 'request' AS kind, r.position, mpower.request_evidence(r) AS evidence
                FROM mpower.requests r WHERE r.link = l.link
            UNION ALL
            SELECT 'entry', e.position, mpower.entry_evidence(e) FROM mpower.audit_entries e WHERE e.link = l.link) c
        WHERE (l.link, c.position) > (after_link, after_position)
        ORDER BY l.link, c.position LIMIT most;
END
$$;
REVOKE ALL ON FUNCTION mpower.audit_rows_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.audit_rows_v1 TO mpower_ops, mpower_admin;
