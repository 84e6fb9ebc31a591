-- Change a consumer's mobile number, as the consumer says it at the counter: at once, and kept. Not of one's own account.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.change_mobile_v1(token bytea, whom bigint, number text, reason text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
DECLARE
    me record;
BEGIN
    SELECT * INTO me FROM mpower.who(token);
    PERFORM mpower.must_not_be_own(me.person, whom);
    PERFORM mpower.put_consumer_field(whom, 'mobile', number, me.user_name, me.person, reason);
END
$$;
REVOKE ALL ON FUNCTION mpower.change_mobile_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.change_mobile_v1 TO mpower_clerk, mpower_officer;
