-- The open business day, else the last one; no row: none was ever opened. The daemon itself asks for its greeting.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.today_v1() RETURNS TABLE (day date, financial_year smallint, open boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT d.day, d.financial_year, d.closed_at IS NULL FROM mpower.days d ORDER BY d.day DESC LIMIT 1
$$;
REVOKE ALL ON FUNCTION mpower.today_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.today_v1 TO mpower_app, mpower_clerk, mpower_officer, mpower_ops, mpower_bank, mpower_admin;
