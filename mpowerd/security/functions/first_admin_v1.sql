-- The first administrator, only while there is no user at all; false: there is one already.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.first_admin_v1(user_name text, person text, password_hash text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
BEGIN
    LOCK TABLE mpower.users IN SHARE ROW EXCLUSIVE MODE;
    IF EXISTS (SELECT FROM mpower.users) THEN
        RETURN false;
    END IF;
    INSERT INTO mpower.persons VALUES (first_admin_v1.person, user_name, 'Administrator', 'HO');
    INSERT INTO mpower.users (name, person, role, password_hash, created_at)
        VALUES (user_name, first_admin_v1.person, 'admin', first_admin_v1.password_hash, now());
    RETURN true;
END
$$;
REVOKE ALL ON FUNCTION mpower.first_admin_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.first_admin_v1 TO mpower_app;
