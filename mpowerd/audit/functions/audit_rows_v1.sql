-- The rows of an export after (after_link, after_position), in the order of the chains: each with its link and what of it
-- is hashed, none beyond the heads of the first `heads` leaves. The export itself must have been asked for, by this user
-- and within a day: that request is its entry.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.audit_rows_v1(
    counter text, client uuid, sequence bigint, actor text, heads bigint, after_link bigint, after_position integer,
    most integer
) RETURNS TABLE (
    link bigint, at timestamptz, term bigint, covers integer, previous bytea, hash bytea, kind text, place integer,
    evidence bytea
) LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
#variable_conflict use_column
BEGIN
    IF NOT EXISTS (SELECT FROM mpower.requests r WHERE r.counter = audit_rows_v1.counter
            AND r.client = audit_rows_v1.client AND r.sequence = audit_rows_v1.sequence
            AND r.operation = 'audit.export' AND r.actor = audit_rows_v1.actor AND r.reply IS NOT NULL
            AND r.at > now() - interval '1 day') THEN
        PERFORM mpower.refuse('NO_EXPORT');
    END IF;
    RETURN QUERY
        SELECT l.link, l.at, l.term, l.covers, l.previous, l.hash, c.kind, c.position::integer, c.evidence
        FROM (
            SELECT k.* FROM mpower.audit_links k
            WHERE k.link >= after_link AND EXISTS (SELECT FROM mpower.audit_leaves v
                WHERE v.link >= k.link AND v.link < ((k.link >> 40) + 1) << 40 AND v.leaf < heads)
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
