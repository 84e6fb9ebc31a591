-- Withdraw a power, from now on; withdrawn before: as it was.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.withdraw_power_v1(which integer)
RETURNS TABLE (power_id integer, person text, power text, most bigint, office text, valid_from date, valid_to date,
    withdrawn_at timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
#variable_conflict use_column
BEGIN
    UPDATE mpower.powers p SET withdrawn_at = coalesce(p.withdrawn_at, now()) WHERE p.power_id = which;
    IF NOT FOUND THEN
        PERFORM mpower.refuse('NO_POWER_ID', json_build_object('power_id', which::text));
    END IF;
    RETURN QUERY SELECT p.power_id, p.person, p.power, p.most, p.office, p.valid_from, p.valid_to, p.withdrawn_at
        FROM mpower.powers p WHERE p.power_id = which;
END
$$;
REVOKE ALL ON FUNCTION mpower.withdraw_power_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.withdraw_power_v1 TO mpower_admin;
