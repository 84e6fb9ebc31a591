-- Somebody else has counted an offered pick-up of a held shift: its cash goes from the till to the strong room.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.witness_pick_up_v1(offered integer, witness text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    held mpower.shifts;
    moved bigint;
BEGIN
    SELECT s.* INTO held FROM mpower.pick_ups k JOIN mpower.shifts s USING (shift)
        WHERE k.pick_up = offered AND k.voucher IS NULL AND NOT k.dropped AND s.closed_at IS NULL;
    ASSERT held.shift IS NOT NULL, 'that pick-up does not wait';
    SELECT mpower.post_voucher('PICK_UP', held.day, witness, ARRAY[-(held.counter_id::bigint * 16 + 9)],
        ARRAY[-(held.counter_id::bigint * 16 + 1)], ARRAY[k.paise]) INTO moved FROM mpower.pick_ups k
        WHERE k.pick_up = offered;
    UPDATE mpower.pick_ups k SET witness = witness, witnessed_at = now(), voucher = moved WHERE k.pick_up = offered;
END
$$;
REVOKE ALL ON FUNCTION mpower.witness_pick_up_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.witness_pick_up_v1 TO mpower_clerk, mpower_officer;
