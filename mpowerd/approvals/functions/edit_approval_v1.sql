-- The maker puts another content in place of the request's: its version grows, and whatever was said about the former one
-- (an endorsement, a forwarding, a return) no longer stands.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.edit_approval_v1(
    token bytea, request bigint, version integer, content bytea, operation text, object text, value bigint, office text,
    new_body bytea, new_content bytea, change bytea, persons text[], consumers bigint[], before text, after text, reason text, lasts interval
) RETURNS TABLE (new_version integer, due_at timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    me record;
    r mpower.approvals;
BEGIN
    SELECT * INTO me FROM mpower.who(token);
    r := mpower.open_request(request, version, content);
    IF r.maker_person <> me.person THEN
        PERFORM mpower.refuse('NOT_MAKER', json_build_object('request', r.request::text));
    ELSIF r.operation <> operation THEN
        PERFORM mpower.refuse('REQUEST_OTHER', json_build_object('request', r.request::text, 'operation', r.operation));
    END IF;
    PERFORM mpower.must_be_known(persons);
    PERFORM mpower.must_be_new(change, r.request);
    UPDATE mpower.approvals a SET version = a.version + 1, state = 'PENDING', with_person = NULL,
            object = edit_approval_v1.object, value = edit_approval_v1.value, office = edit_approval_v1.office,
            body = new_body, content = new_content, change = edit_approval_v1.change, persons = edit_approval_v1.persons,
            consumers = edit_approval_v1.consumers, before = edit_approval_v1.before,
            after = edit_approval_v1.after, reason = edit_approval_v1.reason, due_at = now() + lasts
        WHERE a.request = r.request RETURNING a.* INTO r;
    PERFORM mpower.act_upon(r, 'EDITED', me.person, me.user_name, NULL, NULL, reason);
    RETURN QUERY SELECT r.version::integer, r.due_at;
END
$$;
REVOKE ALL ON FUNCTION mpower.edit_approval_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.edit_approval_v1 TO mpower_clerk, mpower_officer, mpower_ops, mpower_admin;
