-- An emergency: one power for hours, in one office and below it, up to a value. Four-eyes; it ends by itself, and whoever gave
-- it stands with it.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.break_glass_v1(person text, power text, most bigint, office text, hours integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
#variable_conflict use_variable
BEGIN
    PERFORM mpower.must_be_approved('security.break_glass');
    INSERT INTO mpower.powers (person, power, most, office, valid_from, ends_at, granted_at, given_by)
        SELECT person, power, most, office, current_date, now() + make_interval(hours => hours), now(),
            array_agg(DISTINCT a.person)
        FROM mpower.approval_acts a WHERE a.request IN (SELECT b.request FROM mpower.approval_acts b
            WHERE b.xact = pg_current_xact_id() AND b.act IN ('APPROVED', 'FOUNDING'))
            AND a.act IN ('ASKED', 'EDITED', 'FORWARDED', 'APPROVED');
END
$$;
REVOKE ALL ON FUNCTION mpower.break_glass_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.break_glass_v1 TO mpower_admin;
