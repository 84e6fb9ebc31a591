-- The instruments on paper that lie in a shift's till, by receipt; those of cancelled receipts and dishonoured ones were given back.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.shift_instruments_v1(which integer, modes text[])
RETURNS TABLE (receipt text, mode text, instrument text, paise bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT x.number, x.mode, x.instrument, x.amount_paise FROM mpower.shift_receipts x
        WHERE x.shift = which AND NOT x.cancelled AND NOT x.returned AND x.mode = ANY (modes) ORDER BY x.receipt
$$;
REVOKE ALL ON FUNCTION mpower.shift_instruments_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.shift_instruments_v1 TO mpower_clerk, mpower_officer;
