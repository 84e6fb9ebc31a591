-- Disable a user and end every session; the number of sessions ended.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.disable_user_v1(user_name text, why text) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
DECLARE
    which integer;
    ended integer;
BEGIN
    UPDATE mpower.users u SET disabled_at = coalesce(u.disabled_at, now()),
        disabled_why = coalesce(u.disabled_why, why) WHERE u.name = user_name RETURNING u.user_id INTO which;
    IF which IS NULL THEN
        PERFORM mpower.refuse('NO_USER', json_build_object('user', user_name));
    END IF;
    UPDATE mpower.sessions s SET ended_at = now(), ended_why = 'DISABLED' WHERE s.user_id = which AND s.ended_at IS NULL;
    GET DIAGNOSTICS ended = ROW_COUNT;
    RETURN ended;
END
$$;
REVOKE ALL ON FUNCTION mpower.disable_user_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.disable_user_v1 TO mpower_admin;
