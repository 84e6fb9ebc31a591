-- The emergency powers that stand now.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.broken_glass_v1() RETURNS TABLE (person text, power text, ends_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT p.person, p.power, p.ends_at FROM mpower.powers p
    WHERE p.ends_at > now() AND p.withdrawn_at IS NULL ORDER BY p.ends_at, p.power_id
$$;
REVOKE ALL ON FUNCTION mpower.broken_glass_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.broken_glass_v1 TO mpower_app;
