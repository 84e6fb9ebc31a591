-- Give a user another role: four-eyes. Their sessions end, so that nobody works on in the former role.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.appoint_v1(user_name text, role text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    which integer;
BEGIN
    PERFORM mpower.must_be_approved('security.appoint');
    UPDATE mpower.users u SET role = appoint_v1.role WHERE u.name = user_name RETURNING u.user_id INTO which;
    IF which IS NULL THEN
        PERFORM mpower.refuse('NO_USER', json_build_object('user', user_name));
    END IF;
    UPDATE mpower.sessions s SET ended_at = now(), ended_why = 'ROLE' WHERE s.user_id = which AND s.ended_at IS NULL;
END
$$;
REVOKE ALL ON FUNCTION mpower.appoint_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.appoint_v1 TO mpower_admin;
