-- One slip with what has come of it.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.slip_v1(which integer)
RETURNS TABLE (slip text, office text, kind text, bank text, place text, day date, at timestamptz, by text, cash text,
    total_paise bigint, realised_paise bigint, open_paise bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT s.text, s.office, s.kind, s.bank, s.place, s.day, s.at, s.by, s.cash, s.total_paise, s.realised_paise, s.open_paise
        FROM mpower.slips_now s WHERE s.slip = which
$$;
REVOKE ALL ON FUNCTION mpower.slip_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.slip_v1 TO mpower_officer;
