-- Recompute the audit's links from the rows they cover; a row for each trouble, in the order of the chains: the first is
-- the first bad link. covered_by is what a link's rows hash to now.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.audit_check_v1() RETURNS TABLE (chain integer, link bigint, trouble text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
    WITH covered AS (
        SELECT c.link, count(*) AS rows, string_agg(c.evidence, ''::bytea ORDER BY c.position) AS evidence, min(c.at) AS first,
            max(c.at) AS last
        FROM (SELECT r.link, r.position, r.at, mpower.request_evidence(r) AS evidence FROM mpower.requests r
            UNION ALL
            SELECT e.link, e.position, e.at, mpower.entry_evidence(e) FROM mpower.audit_entries e) c
        GROUP BY c.link
    ), links AS (
        SELECT l.*, lag(l.hash) OVER w AS hash_before, lag(l.link) OVER w AS link_before
        FROM mpower.audit_links l WINDOW w AS (PARTITION BY l.link >> 40 ORDER BY l.link)
    ), judged AS (
        SELECT coalesce(l.link, c.link) AS link, CASE
            WHEN l.link IS NULL THEN 'rows without their link'
            WHEN c.link IS NULL THEN 'a link without its rows'
            WHEN l.link_before IS NULL AND l.link & 1099511627775 <> 1 THEN 'the chain does not begin at 1'
            WHEN l.link_before <> l.link - 1 THEN 'links are missing before it'
            WHEN l.previous <> coalesce(l.hash_before, sha256(int4send((l.link >> 40)::integer)))
                THEN 'it does not follow the link before it'
            WHEN l.covers <> c.rows THEN format('it covers %s rows, %s are there', l.covers, c.rows)
            WHEN l.at <> c.first OR l.at <> c.last THEN 'a row has another time'
            WHEN l.hash <> sha256(l.previous || c.evidence) THEN 'a row was changed'
            END AS trouble
        FROM links l FULL JOIN covered c ON c.link = l.link
    )
    SELECT (j.link >> 40)::integer, j.link, j.trouble FROM judged j WHERE j.trouble IS NOT NULL ORDER BY j.link
$$;
REVOKE ALL ON FUNCTION mpower.audit_check_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.audit_check_v1 TO mpower_app, mpower_report;
