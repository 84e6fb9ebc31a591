-- Take a login's second factor away (a lost device): four-eyes. Its sessions end.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.reset_factor_v1(user_name text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
BEGIN
    PERFORM mpower.must_be_approved('security.reset_factor');
    DELETE FROM mpower.second_factors f USING mpower.users u WHERE u.name = user_name AND f.user_id = u.user_id;
    UPDATE mpower.sessions s SET ended_at = now(), ended_why = 'ROLE' FROM mpower.users u
        WHERE u.name = user_name AND s.user_id = u.user_id AND s.ended_at IS NULL;
END
$$;
REVOKE ALL ON FUNCTION mpower.reset_factor_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.reset_factor_v1 TO mpower_admin;
