-- Let a disabled user sign in again: four-eyes.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.enable_user_v1(user_name text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
BEGIN
    PERFORM mpower.must_be_approved('security.enable_user');
    UPDATE mpower.users u SET disabled_at = NULL, disabled_why = NULL WHERE u.name = user_name;
END
$$;
REVOKE ALL ON FUNCTION mpower.enable_user_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.enable_user_v1 TO mpower_admin;
