-- What proves the rows from `since` until before `before`: the checkpoint they are exported up to, the one (with its
-- tree's peaks) that they follow, null for the beginning, and of each chain that moved between the two the links to give:
-- from its head under the earlier one, which shows that nothing was left out, to its last under the later one.
--
-- A row's time is when its transaction began, so a row can come later into its chain than its neighbours: within ADRIFT of
-- an edge the rows themselves say which checkpoint lies before them, and which behind. `written`: there is such a row at
-- all; `first` is the time of the oldest there is.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.audit_range_v1(
    since timestamptz, before timestamptz, OUT size bigint, OUT root bytea, OUT at text, OUT term bigint,
    OUT signature bytea, OUT from_size bigint, OUT from_root bytea, OUT from_at text, OUT from_term bigint,
    OUT from_signature bytea, OUT peaks bytea, OUT firsts bigint[], OUT lasts bigint[], OUT written boolean,
    OUT first timestamptz
) LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp
SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
    adrift CONSTANT interval := '10 minutes';
    earliest bigint;
    latest bigint;
BEGIN
    SELECT min(v.leaf) INTO earliest FROM (
        SELECT l.link >> 40 AS chain, min(l.link) AS link FROM mpower.audit_links l
        WHERE l.at >= since AND l.at < since + adrift GROUP BY 1) f
        CROSS JOIN LATERAL (SELECT n.leaf FROM mpower.audit_leaves n
            WHERE n.link >= f.link AND n.link < (f.chain + 1) << 40 ORDER BY n.link LIMIT 1) v;
    SELECT c.size, c.root, c.at, c.term, c.signature, c.peaks
        INTO from_size, from_root, from_at, from_term, from_signature, peaks FROM mpower.audit_checkpoints c
        WHERE c.at COLLATE "C" <= mpower.moment_text(since) AND c.size <= coalesce(earliest, c.size)
        ORDER BY c.at COLLATE "C" DESC LIMIT 1;
    SELECT max(coalesce(v.leaf, 9223372036854775806)) + 1 INTO latest FROM (
        SELECT l.link >> 40 AS chain, max(l.link) AS link FROM mpower.audit_links l
        WHERE l.at >= before - adrift AND l.at < before GROUP BY 1) f
        LEFT JOIN LATERAL (SELECT n.leaf FROM mpower.audit_leaves n
            WHERE n.link >= f.link AND n.link < (f.chain + 1) << 40 ORDER BY n.link LIMIT 1) v ON true;
    SELECT c.size, c.root, c.at, c.term, c.signature INTO size, root, at, term, signature FROM (
        (SELECT 1 AS choice, k.* FROM mpower.audit_checkpoints k
            WHERE k.at COLLATE "C" >= mpower.moment_text(before) AND k.size >= coalesce(latest, 0)
            ORDER BY k.at COLLATE "C" LIMIT 1)
        UNION ALL
        (SELECT 2, k.* FROM mpower.audit_checkpoints k ORDER BY k.size DESC LIMIT 1)) c ORDER BY c.choice LIMIT 1;
    WITH RECURSIVE chains AS (
        (SELECT n.link >> 40 AS chain FROM mpower.audit_leaves n ORDER BY n.link DESC LIMIT 1)
        UNION ALL
        SELECT below.chain FROM chains c CROSS JOIN LATERAL (SELECT n.link >> 40 AS chain FROM mpower.audit_leaves n
            WHERE n.link < c.chain << 40 ORDER BY n.link DESC LIMIT 1) below
    ), moved AS (
        SELECT c.chain, last.link FROM chains c CROSS JOIN LATERAL (SELECT n.link, n.leaf FROM mpower.audit_leaves n
            WHERE n.link >= c.chain << 40 AND n.link < (c.chain + 1) << 40 AND n.leaf < audit_range_v1.size
            ORDER BY n.link DESC LIMIT 1) last
        WHERE last.leaf >= coalesce(from_size, 0)
    )
    SELECT coalesce(array_agg(coalesce(border.link, (m.chain << 40) + 1) ORDER BY m.link), '{}'),
            coalesce(array_agg(m.link ORDER BY m.link), '{}') INTO firsts, lasts
        FROM moved m LEFT JOIN LATERAL (SELECT n.link FROM mpower.audit_leaves n
            WHERE n.link >= m.chain << 40 AND n.link < m.link AND n.leaf < from_size
            ORDER BY n.link DESC LIMIT 1) border ON true;
    written := EXISTS (SELECT FROM mpower.audit_links l, unnest(firsts, lasts) s (one, other)
        WHERE l.at >= since AND l.at < before AND l.link BETWEEN s.one AND s.other);
    SELECT l.at INTO first FROM mpower.audit_links l ORDER BY l.at, l.link LIMIT 1;
END
$$;
REVOKE ALL ON FUNCTION mpower.audit_range_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.audit_range_v1 TO mpower_ops, mpower_admin;
