-- The newest slips of an office, of those before a number if one is given; `waiting`: only those not wholly settled.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.slips_v1(of_office text, waiting boolean, most integer)
RETURNS TABLE (slip text, kind text, bank text, place text, day date, total_paise bigint, realised_paise bigint,
    open_paise bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT s.text, s.kind, s.bank, s.place, s.day, s.total_paise, s.realised_paise, s.open_paise FROM mpower.slips_now s
        WHERE s.office = of_office AND (NOT waiting OR s.open_paise <> 0)
        ORDER BY s.financial_year DESC, s.number DESC LIMIT most
$$;
REVOKE ALL ON FUNCTION mpower.slips_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.slips_v1 TO mpower_officer;
