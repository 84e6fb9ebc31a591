-- The log of heads, and its signed checkpoints. A head is a chain's newest link at a moment: leaf n of a Merkle tree that
-- only grows. A checkpoint's signature covers the root over its first `size` leaves, and so, by their hashes, every link
-- of every chain up to those heads. `peaks` are the tree's (protocols/merkle.py), so that the next one need not read all.

SET LOCAL ROLE mpower_owner;

CREATE INDEX audit_links_by_time ON mpower.audit_links (at, link);
CREATE INDEX audit_entries_of_object ON mpower.audit_entries (object) WHERE object <> '';

CREATE TABLE mpower.audit_leaves (
    leaf bigint NOT NULL CONSTRAINT audit_leaves_pk PRIMARY KEY CONSTRAINT audit_leaves_from_0 CHECK (leaf >= 0),
    link bigint NOT NULL CONSTRAINT audit_leaves_link_once UNIQUE,
    hash bytea NOT NULL
);
CREATE TABLE mpower.audit_checkpoints (
    size bigint NOT NULL CONSTRAINT audit_checkpoints_pk PRIMARY KEY,
    root bytea NOT NULL,
    at text NOT NULL,
    term bigint NOT NULL,
    signature bytea NOT NULL,
    peaks bytea NOT NULL
);
COMMENT ON COLUMN mpower.audit_checkpoints.at IS 'as it was signed: ISO, UTC';

SELECT mpower.keep('{audit_leaves, audit_checkpoints}', true);
GRANT SELECT ON mpower.audit_leaves, mpower.audit_checkpoints TO mpower_report;

-- The newest link of each chain there is: one look-up a chain, whatever their length.
CREATE FUNCTION mpower.audit_heads() RETURNS TABLE (link bigint, hash bytea) LANGUAGE sql STABLE
SET search_path = pg_catalog, mpower, pg_temp AS $$
    WITH RECURSIVE head AS (
        (SELECT l.link, l.hash FROM mpower.audit_links l ORDER BY l.link DESC LIMIT 1)
        UNION ALL
        SELECT below.link, below.hash FROM head CROSS JOIN LATERAL (
            SELECT l.link, l.hash FROM mpower.audit_links l WHERE l.link < (head.link >> 40) << 40
            ORDER BY l.link DESC LIMIT 1) below
    )
    SELECT head.link, head.hash FROM head
$$;

-- What is wrong with the links above `after` up to `upto` and the rows they cover; a row for each trouble, in order: the
-- first is the first bad link, and position its first bad row (0: not one row alone).
CREATE FUNCTION mpower.audit_troubles(after bigint, upto bigint)
RETURNS TABLE (link bigint, at_position integer, trouble text) LANGUAGE sql STABLE
SET search_path = pg_catalog, mpower, pg_temp AS $$
    WITH numbered AS (
        SELECT e.link, e.position, e.at, e.evidence, hash_record(ROW(e.evidence)) AS mark,
            row_number() OVER (PARTITION BY e.link ORDER BY e.position) AS nth
        FROM mpower.audit_evidence e WHERE e.link > after AND e.link <= upto
    ), covered AS (
        SELECT n.link, count(*) AS rows, string_agg(n.evidence, ''::bytea ORDER BY n.position) AS evidence,
            min(n.position) FILTER (WHERE n.at <> l.at) AS untimely,
            min(n.position) FILTER (WHERE n.mark IS DISTINCT FROM l.marks[n.nth]) AS unlike
        FROM numbered n LEFT JOIN mpower.audit_links l ON l.link = n.link GROUP BY n.link
    ), links AS (
        SELECT l.*, b.hash AS hash_before FROM mpower.audit_links l
            LEFT JOIN mpower.audit_links b ON b.link = l.link - 1 AND b.link >> 40 = l.link >> 40
        WHERE l.link > after AND l.link <= upto
    ), judged AS (
        SELECT coalesce(l.link, c.link) AS link, coalesce(c.untimely, c.unlike, 0) AS place, CASE
            WHEN coalesce(l.link, c.link) < 1 THEN 'it is of no chain'
            WHEN l.link IS NULL THEN 'rows without their link'
            WHEN c.link IS NULL THEN 'a link without its rows'
            WHEN l.hash_before IS NULL AND l.link & 1099511627775 <> 1 THEN 'links are missing before it'
            WHEN l.previous <> coalesce(l.hash_before, sha256(int4send((l.link >> 40)::integer)))
                THEN 'it does not follow the link before it'
            WHEN l.covers <> c.rows THEN format('it covers %s rows, %s are there', l.covers, c.rows)
            WHEN c.untimely IS NOT NULL THEN 'a row has another time'
            WHEN l.hash <> sha256(l.previous || c.evidence) THEN 'a row was changed'
            END AS trouble
        FROM links l FULL JOIN covered c ON c.link = l.link
    )
    SELECT greatest(j.link, 0), j.place::integer, j.trouble FROM judged j WHERE j.trouble IS NOT NULL ORDER BY j.link
$$;
