-- Grant a power: four-eyes.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.grant_power_v1(person text, power text, most bigint, office text, first date, last date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
#variable_conflict use_variable
BEGIN
    PERFORM mpower.must_be_approved('security.grant_power');
    IF NOT EXISTS (SELECT FROM mpower.persons p WHERE p.person = person) THEN
        PERFORM mpower.refuse('NO_PERSON', json_build_object('person', person));
    END IF;
    INSERT INTO mpower.powers (person, power, most, office, valid_from, valid_to, granted_at)
        VALUES (person, power, most, office, first, last, now());
END
$$;
REVOKE ALL ON FUNCTION mpower.grant_power_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.grant_power_v1 TO mpower_admin;
