-- End a session: signed out, replaced at its terminal, idle too long, its twelve hours over. True: it lived until now.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.end_session_v1(token bytea, why text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
BEGIN
    UPDATE mpower.sessions s SET ended_at = now(), ended_why = why
        WHERE s.token = end_session_v1.token AND s.ended_at IS NULL;
    RETURN FOUND;
END
$$;
REVOKE ALL ON FUNCTION mpower.end_session_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.end_session_v1 TO mpower_app;
