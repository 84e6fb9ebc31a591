-- What sign-in needs of a user. The only way by which a password's hash or a second factor's secret leaves the database.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.user_for_sign_in_v1(user_name text)
RETURNS TABLE (name text, person text, role text, password_hash text, disabled boolean, secret bytea)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT u.name, u.person, u.role, u.password_hash, u.disabled_at IS NOT NULL, f.secret
    FROM mpower.users u LEFT JOIN mpower.second_factors f USING (user_id) WHERE u.name = user_name
$$;
REVOKE ALL ON FUNCTION mpower.user_for_sign_in_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.user_for_sign_in_v1 TO mpower_app;
