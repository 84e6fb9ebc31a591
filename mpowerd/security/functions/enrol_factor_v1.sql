-- Give the caller's own login a second factor; the code of that step is used. One that stands is first reset, by two
-- administrators.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.enrol_factor_v1(token bytea, secret bytea, step bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    me record;
BEGIN
    SELECT * INTO me FROM mpower.who(token);
    INSERT INTO mpower.second_factors (user_id, secret, last_step, enrolled_at)
        SELECT u.user_id, secret, step, now() FROM mpower.users u WHERE u.name = me.user_name ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        PERFORM mpower.refuse('FACTOR_STANDS', json_build_object('user', me.user_name));
    END IF;
END
$$;
REVOKE ALL ON FUNCTION mpower.enrol_factor_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.enrol_factor_v1 TO mpower_clerk, mpower_officer, mpower_ops, mpower_admin;
