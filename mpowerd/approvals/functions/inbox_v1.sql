-- Requests for a person: those they may approve (not their own nor about themselves; forwarded ones only for whom they were
-- forwarded to, or who has the power from them), oldest first, or those they made, newest first; beyond one (0: from the
-- first). Expired ones no longer wait, whether or not they were marked yet. Who may decide is asked of one request after the
-- other until there are `most`: it costs most of a millisecond each, and thousands may wait.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.inbox_v1(token bytea, mine boolean, most integer, beyond bigint DEFAULT 0)
RETURNS TABLE (request bigint, operation text, object text, power text, value bigint, office text, version smallint,
    content bytea, state text, maker_person text, maker_name text, reason text, asked_at timestamptz, due_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
#variable_conflict use_column
DECLARE
    me text;
    held text[];
    r mpower.approvals;
    found_so_far integer := 0;
BEGIN
    SELECT w.person INTO me FROM mpower.who(token) w;
    IF mine THEN
        RETURN QUERY SELECT r.request, r.operation, r.object, r.power, r.value, r.office, r.version, r.content,
            CASE WHEN r.state IN ('PENDING', 'RETURNED') AND r.due_at <= now() THEN 'EXPIRED' ELSE r.state END,
            r.maker_person, p.name, r.reason, r.asked_at, r.due_at
        FROM mpower.approvals r JOIN mpower.persons p ON p.person = r.maker_person
        WHERE r.maker_person = me AND (beyond = 0 OR r.request < beyond)
        ORDER BY r.request DESC LIMIT most;
        RETURN;
    END IF;
    SELECT array_agg(DISTINCT n.power) INTO held FROM mpower.powers_now n WHERE n.person = me;
    FOR r IN SELECT a.* FROM mpower.approvals a
        WHERE a.request > beyond AND a.state = 'PENDING' AND a.due_at > now() AND a.power = ANY (held) ORDER BY a.request
    LOOP
        EXIT WHEN found_so_far = most;
        CONTINUE WHEN NOT EXISTS (SELECT FROM mpower.deciders(r, r.value) d
            WHERE d.person = me AND (r.with_person IS NULL OR r.with_person IN (me, d.lent_by)));
        found_so_far := found_so_far + 1;
        RETURN QUERY SELECT r.request, r.operation, r.object, r.power, r.value, r.office, r.version, r.content, r.state,
            r.maker_person, p.name, r.reason, r.asked_at, r.due_at FROM mpower.persons p WHERE p.person = r.maker_person;
    END LOOP;
END
$$;
REVOKE ALL ON FUNCTION mpower.inbox_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.inbox_v1 TO mpower_clerk, mpower_officer, mpower_ops, mpower_admin;
