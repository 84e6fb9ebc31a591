-- Keep a request that needs a second person. founding: nobody but its maker has ever held the power (a board's first
-- administrator, alone): it is carried out in this transaction and stays marked. The same change does not wait twice.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.ask_approval_v1(
    token bytea, operation text, object text, power text, value bigint, office text, body bytea, content bytea,
    change bytea, persons text[], consumers bigint[], before text, after text, reason text, lasts interval,
    OUT request bigint, OUT founding boolean, OUT due_at timestamptz
) LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    me record;
    r mpower.approvals;
BEGIN
    SELECT * INTO me FROM mpower.who(token);
    IF NOT EXISTS (SELECT FROM mpower.offices o WHERE o.office = office) THEN
        PERFORM mpower.refuse('NO_OFFICE', json_build_object('office', office));
    END IF;
    PERFORM mpower.must_be_known(persons);
    PERFORM mpower.must_be_new(change, NULL);
    founding := me.role = 'admin' AND power IN ('RIGHTS', 'MASTERS')
        AND NOT EXISTS (SELECT FROM mpower.users u WHERE u.role = 'admin' AND u.person <> me.person);
    due_at := now() + lasts;
    INSERT INTO mpower.approvals AS a (operation, object, power, value, office, body, content, change, persons,
            consumers, before, after, reason, state, maker_person, maker_user, asked_at, due_at)
        VALUES (operation, object, power, value, office, body, content, change, persons, consumers, before, after, reason,
            CASE WHEN founding THEN 'APPROVED' ELSE 'PENDING' END, me.person, me.user_name, now(), due_at)
        RETURNING a.* INTO r;
    request := r.request;
    PERFORM mpower.act_upon(r, 'ASKED', me.person, me.user_name, NULL, NULL, reason);
    IF founding THEN
        PERFORM mpower.act_upon(r, 'FOUNDING', me.person, me.user_name, NULL, NULL, 'nobody else holds this power yet');
    END IF;
END
$$;
REVOKE ALL ON FUNCTION mpower.ask_approval_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.ask_approval_v1 TO mpower_clerk, mpower_officer, mpower_ops, mpower_admin;
