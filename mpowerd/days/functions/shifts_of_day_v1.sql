-- The shifts of a business date at these counters, in order.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.shifts_of_day_v1(of_office text, at_counter text, of_day date)
RETURNS TABLE (counter text, shift integer, clerk text, state text, float_paise bigint, picked bigint, difference bigint,
    handed bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT c.code, s.shift, u.name, CASE WHEN s.closed_at IS NULL THEN 'OPEN' ELSE 'CLOSED' END, s.float_paise,
        coalesce((SELECT sum(k.paise) FROM mpower.pick_ups k WHERE k.shift = s.shift AND k.voucher IS NOT NULL), 0)::bigint,
        coalesce(s.counted_paise - s.expected_paise, 0), coalesce(s.handed_paise, 0)
    FROM mpower.shifts s JOIN mpower.counters c USING (counter_id) JOIN mpower.users u USING (user_id)
    WHERE s.day = of_day AND mpower.office_within(c.office, of_office) AND (at_counter = '' OR c.code = at_counter)
    ORDER BY c.code, s.shift
$$;
REVOKE ALL ON FUNCTION mpower.shifts_of_day_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.shifts_of_day_v1 TO mpower_officer;
