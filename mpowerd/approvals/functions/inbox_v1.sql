-- Requests for a person: those they may approve (not their own nor about themselves; forwarded ones only for whom they were
-- forwarded to, or who has the power from them), or those they made. Oldest first. Expired ones no longer wait, whether or not they were marked yet.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.inbox_v1(token bytea, mine boolean, most integer)
RETURNS TABLE (request bigint, operation text, object text, power text, value bigint, office text, version smallint,
    content bytea, state text, maker_person text, maker_name text, reason text, asked_at timestamptz, due_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT r.request, r.operation, r.object, r.power, r.value, r.office, r.version, r.content,
        CASE WHEN r.state IN ('PENDING', 'RETURNED') AND r.due_at <= now() THEN 'EXPIRED' ELSE r.state END,
        r.maker_person, p.name, r.reason, r.asked_at, r.due_at
    FROM mpower.who(token) me, mpower.approvals r JOIN mpower.persons p ON p.person = r.maker_person
    WHERE CASE WHEN mine THEN r.maker_person = me.person
        ELSE r.state = 'PENDING' AND r.due_at > now() AND EXISTS (SELECT FROM mpower.deciders(r, r.value) d
            WHERE d.person = me.person AND (r.with_person IS NULL OR r.with_person IN (me.person, d.lent_by))) END
    ORDER BY CASE WHEN mine THEN -r.request ELSE r.request END LIMIT most
$$;
REVOKE ALL ON FUNCTION mpower.inbox_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.inbox_v1 TO mpower_clerk, mpower_officer, mpower_ops, mpower_admin;
