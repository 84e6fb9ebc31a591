-- The powers of a person, or of everybody (''), newest first.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.powers_v1(whose text)
RETURNS TABLE (power_id integer, person text, power text, most bigint, office text, valid_from date, valid_to date,
    withdrawn_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT p.power_id, p.person, p.power, p.most, p.office, p.valid_from, p.valid_to, p.withdrawn_at
    FROM mpower.powers p WHERE whose = '' OR p.person = whose ORDER BY p.power_id DESC
$$;
REVOKE ALL ON FUNCTION mpower.powers_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.powers_v1 TO mpower_officer, mpower_ops, mpower_admin;
