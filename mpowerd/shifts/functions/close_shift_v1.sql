-- Close a held shift as it was counted: what is short or in excess is booked, the float goes back, the rest to the strong
-- room. A pick-up nobody witnessed is dropped: its cash lay in the till and was counted there.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.close_shift_v1(which integer, by text, cash text, counted bigint, expected bigint, reason text)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    held mpower.shifts;
    till bigint;
BEGIN
    SELECT * INTO held FROM mpower.shifts s WHERE s.shift = which AND s.closed_at IS NULL;
    ASSERT held.shift IS NOT NULL, 'the shift was not held';
    till := -(held.counter_id::bigint * 16 + 1);
    UPDATE mpower.pick_ups k SET dropped = true WHERE k.shift = which AND k.voucher IS NULL;
    UPDATE mpower.shifts s SET closed_at = now(), closed_by = by, counted_cash = cash, counted_paise = counted,
            expected_paise = expected, handed_paise = counted - s.float_paise, reason = reason,
            last_number = (SELECT z.last_number FROM mpower.series z WHERE z.shift = which)
        WHERE s.shift = which;
    UPDATE mpower.series z SET shift = NULL, clerk = NULL, limit_paise = NULL
        WHERE z.counter_id = held.counter_id AND z.financial_year = held.financial_year;
    PERFORM mpower.post_voucher('CLOSING', held.day, by,
        ARRAY[till, -(held.counter_id::bigint * 16 + 10), -(held.counter_id::bigint * 16 + 9)], ARRAY[-4, till, till],
        ARRAY[counted - expected, held.float_paise, counted - held.float_paise]);
END
$$;
REVOKE ALL ON FUNCTION mpower.close_shift_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.close_shift_v1 TO mpower_clerk, mpower_officer;
