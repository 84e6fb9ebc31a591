-- Tokens (hashed) of sessions that ended or ran out since an instant: the daemon closes theirs within seconds.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.ended_sessions_v1(since timestamptz) RETURNS TABLE (token bytea, ended_why text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT s.token, coalesce(s.ended_why, 'EXPIRED') FROM mpower.sessions s
    WHERE s.ended_at >= since OR (s.ended_at IS NULL AND s.expires_at <= now())
$$;
REVOKE ALL ON FUNCTION mpower.ended_sessions_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.ended_sessions_v1 TO mpower_app;
