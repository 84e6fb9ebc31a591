-- Everything but approving that a person does with a request: return it to its maker, forward it (which endorses it),
-- reject it; the maker withdraws it. It is for who holds the power, or to whom it was forwarded. What was returned waits
-- for its maker: forwarding does not put it before an approver again. It is forwarded only to who may approve it, and not by
-- one it is about: that would endorse their own matter.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.answer_approval_v1(
    token bytea, request bigint, version integer, content bytea, act text, to_person text, remark text
) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    me record;
    r mpower.approvals;
    becomes text;
BEGIN
    SELECT * INTO me FROM mpower.who(token);
    r := mpower.open_request(request, version, content);
    IF act = 'WITHDRAWN' THEN
        IF r.maker_person <> me.person THEN
            PERFORM mpower.refuse('NOT_MAKER', json_build_object('request', r.request::text));
        END IF;
    ELSIF r.maker_person = me.person THEN
        PERFORM mpower.refuse('OWN_REQUEST', json_build_object('request', r.request::text));
    ELSIF r.with_person IS DISTINCT FROM me.person
            AND NOT EXISTS (SELECT FROM mpower.holders(r.power, 0, r.office) h WHERE h.person = me.person) THEN
        PERFORM mpower.refuse('NO_POWER', json_build_object('request', r.request::text, 'power', r.power,
            'office', r.office));
    END IF;
    IF act = 'FORWARDED' AND r.state = 'RETURNED' THEN
        PERFORM mpower.refuse('REQUEST_RETURNED', json_build_object('request', r.request::text));
    ELSIF act = 'FORWARDED' AND me.person = ANY (mpower.concerned(r)) THEN
        PERFORM mpower.refuse('OWN_MATTER', json_build_object('request', r.request::text, 'object', r.object));
    ELSIF act = 'FORWARDED' AND NOT EXISTS (SELECT FROM mpower.deciders(r, r.value) d WHERE d.person = to_person) THEN
        PERFORM mpower.refuse('NOT_COMPETENT', json_build_object('person', to_person, 'request', r.request::text));
    END IF;
    becomes := CASE act WHEN 'RETURNED' THEN 'RETURNED' WHEN 'FORWARDED' THEN 'PENDING' WHEN 'REJECTED' THEN 'REJECTED'
        WHEN 'WITHDRAWN' THEN 'WITHDRAWN' END;
    UPDATE mpower.approvals a SET state = becomes,
        with_person = CASE WHEN act = 'FORWARDED' THEN to_person END WHERE a.request = r.request;
    PERFORM mpower.act_upon(r, act, me.person, me.user_name, NULL, to_person, remark);
    RETURN becomes;
END
$$;
REVOKE ALL ON FUNCTION mpower.answer_approval_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.answer_approval_v1 TO mpower_clerk, mpower_officer, mpower_ops, mpower_admin;
