-- A session by its token, at the terminal it was opened at: who, and whether it lives.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.session_v1(token bytea, subject text)
RETURNS TABLE (name text, person text, role text, opened_at timestamptz, expires_at timestamptz, alive boolean,
    factor boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT s.name, u.person, s.role, s.opened_at, s.expires_at,
        s.ended_at IS NULL AND u.disabled_at IS NULL AND s.expires_at > clock_timestamp(),
        EXISTS (SELECT FROM mpower.second_factors f WHERE f.user_id = u.user_id)
    FROM mpower.sessions s JOIN mpower.users u USING (user_id)
    WHERE s.token = session_v1.token AND s.subject = session_v1.subject
$$;
REVOKE ALL ON FUNCTION mpower.session_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.session_v1 TO mpower_app;
