-- Approve a request as a second person who holds its power; what is to be done, for whoever carries it out next in this
-- transaction. besides: what was approved by the same stroke before it, by power. In one's own right goes before a lent
-- power, so that the act names no lender without need. What was forwarded is for that person, or with their lent power.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.approve_v1(token bytea, request bigint, version integer, content bytea, remark text, besides json)
RETURNS TABLE (power text, value bigint, operation text, object text, body bytea, before text, after text, maker_person text, maker_user text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
#variable_conflict use_column
DECLARE
    me record;
    r mpower.approvals;
    held record;
    together bigint;
BEGIN
    SELECT * INTO me FROM mpower.who(token);
    r := mpower.open_request(approve_v1.request, approve_v1.version, approve_v1.content);
    IF r.state = 'RETURNED' THEN
        PERFORM mpower.refuse('REQUEST_RETURNED', json_build_object('request', r.request::text));
    ELSIF r.maker_person = me.person THEN
        PERFORM mpower.refuse('OWN_REQUEST', json_build_object('request', r.request::text));
    END IF;
    IF me.person = ANY (mpower.concerned(r)) THEN
        PERFORM mpower.refuse('OWN_MATTER', json_build_object('request', r.request::text, 'object', r.object));
    ELSIF NOT EXISTS (SELECT FROM mpower.deciders(r, r.value) d WHERE d.person = me.person) THEN
        PERFORM mpower.refuse('NO_POWER', json_build_object('request', r.request::text, 'power', r.power,
            'office', r.office));
    END IF;
    SELECT d.* INTO held FROM mpower.deciders(r, r.value) d
        WHERE d.person = me.person AND (r.with_person IS NULL OR r.with_person IN (me.person, d.lent_by))
        ORDER BY d.lent_by NULLS FIRST LIMIT 1;
    IF held.person IS NULL THEN
        PERFORM mpower.refuse('WITH_ANOTHER', json_build_object('request', r.request::text, 'person', r.with_person));
    END IF;
    together := r.value + (besides ->> r.power)::bigint;
    IF together IS NOT NULL AND NOT EXISTS (SELECT FROM mpower.deciders(r, together) d WHERE d.person = me.person) THEN
        PERFORM mpower.refuse('BULK_VALUE', json_build_object('request', r.request::text, 'power', r.power));
    END IF;
    UPDATE mpower.approvals a SET state = 'APPROVED' WHERE a.request = r.request;
    PERFORM mpower.act_upon(r, 'APPROVED', me.person, me.user_name, held.lent_by, NULL, approve_v1.remark);
    RETURN QUERY SELECT r.power, r.value, r.operation, r.object, r.body, r.before, r.after, r.maker_person, r.maker_user;
END
$$;
REVOKE ALL ON FUNCTION mpower.approve_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.approve_v1 TO mpower_officer, mpower_admin;
