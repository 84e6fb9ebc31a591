-- Use the code of a time step, once: false if that step or a later one was used already.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.spend_code_v1(user_name text, step bigint) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
BEGIN
    UPDATE mpower.second_factors f SET last_step = step FROM mpower.users u
        WHERE u.name = user_name AND f.user_id = u.user_id AND f.last_step < step;
    RETURN FOUND;
END
$$;
REVOKE ALL ON FUNCTION mpower.spend_code_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.spend_code_v1 TO mpower_app;
