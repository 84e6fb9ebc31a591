-- Offer cash of a held shift for a pick-up; one offered before and not witnessed is dropped. Its number.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.pick_up_v1(which integer, cash text, paise bigint) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    offered integer;
BEGIN
    UPDATE mpower.pick_ups k SET dropped = true WHERE k.shift = which AND k.voucher IS NULL;
    INSERT INTO mpower.pick_ups (shift, at, cash, paise) VALUES (which, now(), cash, paise)
        RETURNING pick_up INTO offered;
    RETURN offered;
END
$$;
REVOKE ALL ON FUNCTION mpower.pick_up_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.pick_up_v1 TO mpower_clerk;
