-- The number of a counter's open shift, else of its last one; null: there was none.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.shift_at_v1(counter_code text) RETURNS integer
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT s.shift FROM mpower.counters c JOIN mpower.shifts s USING (counter_id) WHERE c.code = counter_code
        ORDER BY s.financial_year DESC, s.first_number DESC, s.shift DESC LIMIT 1
$$;
REVOKE ALL ON FUNCTION mpower.shift_at_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.shift_at_v1 TO mpower_clerk, mpower_officer;
