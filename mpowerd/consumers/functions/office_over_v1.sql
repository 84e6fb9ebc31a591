-- The lowest office with both below it: who decides that a consumer moves from one to the other. Null: there is none.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.office_over_v1(one text, other text) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
    WITH RECURSIVE up (office, height) AS (
        SELECT o.office, 0 FROM mpower.offices o WHERE o.office = one
        UNION ALL
        SELECT o.parent, up.height + 1 FROM up JOIN mpower.offices o ON o.office = up.office WHERE o.parent IS NOT NULL
    )
    SELECT up.office FROM up WHERE mpower.office_within(other, up.office) ORDER BY up.height LIMIT 1
$$;
REVOKE ALL ON FUNCTION mpower.office_over_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.office_over_v1 TO mpower_clerk, mpower_officer;
