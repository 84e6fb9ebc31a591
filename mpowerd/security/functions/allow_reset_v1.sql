-- Allow a new password for a login whose role is appointed, once, within a day: four-eyes.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.allow_reset_v1(user_name text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
BEGIN
    PERFORM mpower.must_be_approved('security.allow_reset');
    UPDATE mpower.users u SET reset_until = now() + interval '1 day' WHERE u.name = user_name;
END
$$;
REVOKE ALL ON FUNCTION mpower.allow_reset_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.allow_reset_v1 TO mpower_admin;
