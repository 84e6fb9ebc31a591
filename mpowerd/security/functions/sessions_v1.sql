-- Who is signed in where.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.sessions_v1() RETURNS TABLE (name text, role text, subject text, since timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT s.name, s.role, s.subject, s.opened_at FROM mpower.sessions s
    WHERE s.ended_at IS NULL AND s.expires_at > now() ORDER BY s.subject, s.opened_at
$$;
REVOKE ALL ON FUNCTION mpower.sessions_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.sessions_v1 TO mpower_ops, mpower_admin;
