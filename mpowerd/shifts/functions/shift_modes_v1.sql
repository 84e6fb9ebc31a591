-- A shift's receipts by mode, without those that were cancelled, or returned out of the till.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.shift_modes_v1(which integer) RETURNS TABLE (mode text, receipts bigint, paise bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT x.mode, count(*), sum(x.amount_paise)::bigint FROM mpower.shift_receipts x
        WHERE x.shift = which AND NOT x.cancelled AND NOT x.returned GROUP BY x.mode ORDER BY x.mode
$$;
REVOKE ALL ON FUNCTION mpower.shift_modes_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.shift_modes_v1 TO mpower_clerk, mpower_officer;
