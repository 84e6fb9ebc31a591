-- Add a person. The same again is no change; another person under that staff number is refused.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.add_person_v1(person text, name text, designation text, office text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
#variable_conflict use_variable
BEGIN
    IF NOT EXISTS (SELECT FROM mpower.offices o WHERE o.office = office) THEN
        PERFORM mpower.refuse('NO_OFFICE', json_build_object('office', office));
    END IF;
    INSERT INTO mpower.persons VALUES (person, name, designation, office) ON CONFLICT DO NOTHING;
    IF NOT FOUND AND NOT EXISTS (SELECT FROM mpower.persons p WHERE (p.person, p.name, p.designation, p.office)
            = (person, name, designation, office)) THEN
        PERFORM mpower.refuse('PERSON_EXISTS', json_build_object('person', person));
    END IF;
END
$$;
REVOKE ALL ON FUNCTION mpower.add_person_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.add_person_v1 TO mpower_admin;
