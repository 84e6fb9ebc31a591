-- Whose login a user is, its role, why it is disabled ('' if not), until when its password may be reset ('' not).

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.login_v1(user_name text) RETURNS TABLE (person text, role text, disabled text, reset text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT u.person, u.role, coalesce(u.disabled_why, ''), coalesce(u.reset_until::text, '') FROM mpower.users u
    WHERE u.name = user_name
$$;
REVOKE ALL ON FUNCTION mpower.login_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.login_v1 TO mpower_admin;
