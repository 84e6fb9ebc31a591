-- Put a new password: an administrator alone for who was added, after two people allowed it for who is appointed. One's own
-- is never reset by oneself. Sessions end; how many.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.reset_password_v1(token bytea, user_name text, new_hash text) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
DECLARE
    me record;
    u mpower.users;
    ended integer;
BEGIN
    SELECT * INTO me FROM mpower.who(token);
    SELECT * INTO u FROM mpower.users o WHERE o.name = user_name FOR UPDATE;
    IF u.user_id IS NULL THEN
        PERFORM mpower.refuse('NO_USER', json_build_object('user', user_name));
    ELSIF u.person = me.person THEN
        PERFORM mpower.refuse('OWN_PASSWORD', json_build_object('user', user_name));
    ELSIF u.role NOT IN ('clerk', 'receiver', 'ops') AND coalesce(u.reset_until <= now(), true) THEN
        PERFORM mpower.refuse('RESET_NOT_ALLOWED', json_build_object('user', user_name, 'role', u.role));
    END IF;
    UPDATE mpower.users o SET password_hash = new_hash, reset_until = NULL WHERE o.user_id = u.user_id;
    UPDATE mpower.sessions s SET ended_at = now(), ended_why = 'ROLE' WHERE s.user_id = u.user_id AND s.ended_at IS NULL;
    GET DIAGNOSTICS ended = ROW_COUNT;
    RETURN ended;
END
$$;
REVOKE ALL ON FUNCTION mpower.reset_password_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.reset_password_v1 TO mpower_admin;
