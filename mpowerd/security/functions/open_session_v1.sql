-- Open a session for a user whose password was verified; false: disabled meanwhile. The row lock makes a disabling that
-- runs at the same time either see this session or be seen here.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.open_session_v1(token bytea, user_name text, subject text, address text, lasts interval)
RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
DECLARE
    found_user mpower.users;
BEGIN
    SELECT * INTO found_user FROM mpower.users u WHERE u.name = user_name FOR SHARE;
    IF found_user.user_id IS NULL OR found_user.disabled_at IS NOT NULL THEN
        RETURN false;
    END IF;
    INSERT INTO mpower.sessions (token, user_id, name, role, subject, address, opened_at, expires_at)
        VALUES (open_session_v1.token, found_user.user_id, found_user.name, found_user.role, open_session_v1.subject,
            open_session_v1.address, now(), now() + lasts);
    RETURN true;
END
$$;
REVOKE ALL ON FUNCTION mpower.open_session_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.open_session_v1 TO mpower_app;
