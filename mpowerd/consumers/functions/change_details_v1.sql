-- Change a consumer's name, address, category or office: four-eyes.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.change_details_v1(token bytea, whom bigint, fields text[], texts text[], reason text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
DECLARE
    me record;
BEGIN
    PERFORM mpower.must_be_approved('consumers.change_details');
    SELECT * INTO me FROM mpower.who(token);
    FOR i IN 1..cardinality(fields) LOOP
        IF fields[i] NOT IN ('name', 'address', 'category', 'office') THEN
            RAISE EXCEPTION '% is not changed here', fields[i] USING ERRCODE = 'insufficient_privilege';
        END IF;
        PERFORM mpower.put_consumer_field(whom, fields[i], texts[i], me.user_name, me.person, reason);
    END LOOP;
END
$$;
REVOKE ALL ON FUNCTION mpower.change_details_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.change_details_v1 TO mpower_clerk, mpower_officer;
