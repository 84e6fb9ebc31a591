-- An emergency: a power for hours, in the whole board. Four-eyes; it ends by itself.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.break_glass_v1(person text, power text, hours integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
#variable_conflict use_variable
BEGIN
    PERFORM mpower.must_be_approved('security.break_glass');
    IF NOT EXISTS (SELECT FROM mpower.persons p WHERE p.person = person) THEN
        PERFORM mpower.refuse('NO_PERSON', json_build_object('person', person));
    END IF;
    INSERT INTO mpower.powers (person, power, most, office, valid_from, ends_at, granted_at)
        VALUES (person, power, NULL, 'HO', current_date, now() + make_interval(hours => hours), now());
END
$$;
REVOKE ALL ON FUNCTION mpower.break_glass_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.break_glass_v1 TO mpower_admin;
