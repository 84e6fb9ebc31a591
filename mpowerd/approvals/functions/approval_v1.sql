-- One request whole, for its maker, for who has acted on it, for who holds its power, and for the auditor.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.approval_v1(token bytea, request bigint)
RETURNS TABLE (operation text, object text, power text, value bigint, office text, version smallint, content bytea,
    state text, maker_person text, maker_name text, reason text, asked_at timestamptz, due_at timestamptz,
    before text, after text, with_person text, acts text, body bytea)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT r.operation, r.object, r.power, r.value, r.office, r.version, r.content,
        CASE WHEN r.state IN ('PENDING', 'RETURNED') AND r.due_at <= now() THEN 'EXPIRED' ELSE r.state END,
        r.maker_person, p.name, r.reason, r.asked_at, r.due_at, r.before, r.after, coalesce(r.with_person, ''),
        (SELECT json_agg(json_build_array(a.act, a.version, a.person, a.user_name, coalesce(a.lent_by, ''),
                coalesce(a.to_person, ''), a.remark, to_char(a.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))
                ORDER BY a.step)::text
            FROM mpower.approval_acts a WHERE a.request = r.request), r.body
    FROM mpower.who(token) me, mpower.approvals r JOIN mpower.persons p ON p.person = r.maker_person
    WHERE r.request = approval_v1.request AND (r.maker_person = me.person OR me.role = 'auditor'
        OR EXISTS (SELECT FROM mpower.approval_acts a WHERE a.request = r.request AND me.person IN (a.person, a.to_person))
        OR EXISTS (SELECT FROM mpower.holders(r.power, 0, r.office) h WHERE h.person = me.person))
$$;
REVOKE ALL ON FUNCTION mpower.approval_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.approval_v1 TO mpower_clerk, mpower_officer, mpower_ops, mpower_admin;
