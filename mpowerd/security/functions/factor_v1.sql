-- Does a login have a second factor, and since when ('' if not)?

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.factor_v1(user_name text) RETURNS TABLE (person text, since text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT u.person, coalesce(to_char(f.enrolled_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), '')
    FROM mpower.users u LEFT JOIN mpower.second_factors f USING (user_id) WHERE u.name = user_name
$$;
REVOKE ALL ON FUNCTION mpower.factor_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.factor_v1 TO mpower_admin;
