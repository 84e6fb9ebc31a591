-- Add a user.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.add_user_v1(name text, person text, role text, password_hash text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM mpower.users u WHERE u.name = add_user_v1.name) THEN
        PERFORM mpower.refuse('USER_EXISTS', json_build_object('user', name));
    END IF;
    IF NOT EXISTS (SELECT FROM mpower.persons p WHERE p.person = add_user_v1.person) THEN
        PERFORM mpower.refuse('NO_PERSON', json_build_object('person', person));
    ELSIF role NOT IN ('clerk', 'receiver', 'ops') THEN
        RAISE EXCEPTION 'a user is appointed as %, not added', role USING ERRCODE = 'insufficient_privilege';
    END IF;
    INSERT INTO mpower.users (name, person, role, password_hash, created_at)
        VALUES (add_user_v1.name, add_user_v1.person, add_user_v1.role, add_user_v1.password_hash, now());
END
$$;
REVOKE ALL ON FUNCTION mpower.add_user_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.add_user_v1 TO mpower_admin;
