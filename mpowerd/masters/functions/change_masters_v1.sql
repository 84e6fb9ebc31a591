-- Put new rows of one master: four-eyes. Offices also become rows that accounts, persons and powers stand on; the caller
-- gives them parents first.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.change_masters_v1(which text, from_day date, keys text[], contents text[]) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
DECLARE
    i integer;
    said json;
BEGIN
    PERFORM mpower.must_be_approved('masters.change');
    FOR i IN 1..cardinality(keys) LOOP
        INSERT INTO mpower.masters VALUES (which, keys[i], from_day, contents[i], clock_timestamp());
        IF which = 'offices' AND contents[i] IS NOT NULL THEN
            said := contents[i]::json;
            INSERT INTO mpower.offices AS o VALUES (keys[i], said ->> 'name', said ->> 'kind',
                nullif(said ->> 'parent', ''))
                ON CONFLICT (office) DO UPDATE SET name = excluded.name, kind = excluded.kind, parent = excluded.parent;
        END IF;
    END LOOP;
    RETURN cardinality(keys);
END
$$;
REVOKE ALL ON FUNCTION mpower.change_masters_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.change_masters_v1 TO mpower_officer, mpower_admin;
