-- Add a counter or a bank link.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.add_counter_v1(code text, office text, kind text) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT mpower.new_counter(code, office, kind)
$$;
REVOKE ALL ON FUNCTION mpower.add_counter_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.add_counter_v1 TO mpower_admin;
