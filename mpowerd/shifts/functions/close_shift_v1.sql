-- Close a held shift as it was counted; its cash leaves the till.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.close_shift_v1(which integer, by text, cash text, counted bigint, expected bigint, reason text)
RETURNS void LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT mpower.end_shift(which, by, cash, counted, expected, reason, carried => false)
$$;
REVOKE ALL ON FUNCTION mpower.close_shift_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.close_shift_v1 TO mpower_clerk, mpower_officer;
