-- The number of a counter's open shift, held until this transaction ends; NO_SHIFT if there is none.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.held_shift_v1(counter_code text) RETURNS integer
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT h.shift FROM mpower.hold_shift(counter_code) h
$$;
REVOKE ALL ON FUNCTION mpower.held_shift_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.held_shift_v1 TO mpower_clerk, mpower_officer;
