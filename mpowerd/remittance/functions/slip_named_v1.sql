-- The slip of that number, held until this transaction ends if `held`; refused if there is none.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.slip_named_v1(of_office text, year smallint, running integer, held boolean) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
DECLARE
    found integer;
BEGIN
    IF held THEN
        PERFORM FROM mpower.slip_series n WHERE n.office = of_office AND n.financial_year = year FOR UPDATE;
    END IF;
    SELECT s.slip INTO found FROM mpower.slips s
        WHERE s.office = of_office AND s.financial_year = year AND s.number = running;
    IF found IS NULL THEN
        PERFORM mpower.refuse('NO_SLIP', json_build_object('slip', of_office || '/' || year || '-'
            || lpad(((year + 1) % 100)::text, 2, '0') || '/' || running));
    END IF;
    RETURN found;
END
$$;
REVOKE ALL ON FUNCTION mpower.slip_named_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.slip_named_v1 TO mpower_officer;
