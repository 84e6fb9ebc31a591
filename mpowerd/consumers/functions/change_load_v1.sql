-- Change a consumer's sanctioned load: four-eyes.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.change_load_v1(token bytea, whom bigint, watts bigint, reason text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
DECLARE
    me record;
BEGIN
    PERFORM mpower.must_be_approved('consumers.change_load');
    SELECT * INTO me FROM mpower.who(token);
    PERFORM mpower.put_consumer_field(whom, 'sanctioned_load_w', watts::text, me.user_name, me.person, reason);
END
$$;
REVOKE ALL ON FUNCTION mpower.change_load_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.change_load_v1 TO mpower_clerk, mpower_officer;
