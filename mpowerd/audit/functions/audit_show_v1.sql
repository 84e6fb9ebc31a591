-- Entries, the newest first, before the row (before_at, before_link, before_position): of at most `links` links, and of
-- them those that fit. With an object: only the links that speak of it, found by its name or by its receipt. One row at
-- least: where the look ended, and whether nothing lies behind it. A payment has no entry of its own: its request is one.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.audit_show_v1(
    before_at timestamptz, before_link bigint, before_position integer, since timestamptz, links integer, rows integer,
    most integer, who text, object text, operation text
) RETURNS TABLE (
    end_at timestamptz, end_link bigint, done boolean, at timestamptz, link bigint, entry_position integer, term bigint,
    what text, outcome text, user_name text, person text, role text, subject text, address text, counter text,
    client uuid, sequence bigint, about text, details text, reason text
) LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp
SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_variable
DECLARE
    window_links bigint[];
    parts CONSTANT text[] := string_to_array(object, '/');
    is_receipt CONSTANT boolean := object ~ '^[A-Z][A-Z0-9]{1,11}/[0-9]{4}-[0-9]{2}/[0-9]{1,9}$';
BEGIN
    SELECT array_agg(w.link) FILTER (WHERE w.fits), (array_agg(w.at ORDER BY w.at, w.link) FILTER (WHERE w.fits))[1],
            (array_agg(w.link ORDER BY w.at, w.link) FILTER (WHERE w.fits))[1], count(*) < links AND bool_and(w.fits)
        INTO window_links, end_at, end_link, done FROM (
            SELECT n.link, n.at, n.before < rows AS fits FROM (
                SELECT l.link, l.at, sum(l.covers) OVER (ORDER BY l.at DESC, l.link DESC) - l.covers AS before FROM (
                    SELECT k.link, k.at, k.covers FROM mpower.audit_links k
                    WHERE (k.at, k.link) <= (before_at, before_link) AND k.at >= since
                        AND (before_position > 0 OR k.link <> before_link) AND (object = '' OR k.link IN (
                        SELECT e.link FROM mpower.audit_entries e WHERE e.object = audit_show_v1.object AND e.object <> ''
                        UNION ALL
                        SELECT r.link FROM mpower.counters c JOIN mpower.requests r ON r.receipt = mpower.receipt_id(
                            c.counter_id, left(parts[2], 4)::smallint, parts[3]::integer)
                        WHERE is_receipt AND c.code = parts[1]))
                    ORDER BY k.at DESC, k.link DESC LIMIT links) l) n) w;
    done := coalesce(done, true);
    RETURN QUERY
        SELECT end_at, end_link, done, f.* FROM (SELECT) one LEFT JOIN (
            SELECT a.* FROM (
                SELECT e.at, e.link, e.position::integer AS position, k.term, e.what, e.outcome, e.user_name, e.person,
                    e.role, e.subject, e.address, e.counter, e.client, e.sequence, e.object, e.details, e.reason
                FROM mpower.audit_entries e JOIN mpower.audit_links k USING (link) WHERE e.link = ANY (window_links)
                UNION ALL
                SELECT r.at, r.link, r.position::integer, k.term, r.operation, coalesce(r.refusal, 'DONE'), r.actor,
                    coalesce(u.person, ''), '', '', r.address, r.counter, r.client, r.sequence,
                    coalesce(mpower.receipt_text(r.counter, r.receipt), lpad(r.consumer::text, 10, '0'), ''),
                    json_strip_nulls(json_build_object('consumer', lpad(r.consumer::text, 10, '0'), 'amount_paise',
                        r.amount_paise, 'mode', r.mode, 'instrument', nullif(r.instrument, ''), 'day', r.day))::text, ''
                FROM mpower.requests r JOIN mpower.audit_links k USING (link)
                    LEFT JOIN mpower.users u ON u.user_id = r.user_id
                WHERE r.link = ANY (window_links)
                    AND NOT EXISTS (SELECT FROM mpower.audit_entries e WHERE e.link = r.link)) a
            WHERE (a.at, a.link, a.position) < (before_at, before_link, before_position)
                AND (who = '' OR a.user_name = who) AND (operation = '' OR a.what = operation)
                AND (object = '' OR a.object = audit_show_v1.object)
            ORDER BY a.at DESC, a.link DESC, a.position DESC LIMIT most) f ON true;
END
$$;
REVOKE ALL ON FUNCTION mpower.audit_show_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.audit_show_v1 TO mpower_ops, mpower_admin;
