-- The pick-ups of a shift, in order; without a witness yet: waiting.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.shift_pick_ups_v1(which integer)
RETURNS TABLE (pick_up integer, paise bigint, cash text, witness text, at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT k.pick_up, k.paise, k.cash, coalesce(k.witness, ''), coalesce(k.witnessed_at, k.at) FROM mpower.pick_ups k
        WHERE k.shift = which AND NOT k.dropped ORDER BY k.pick_up
$$;
REVOKE ALL ON FUNCTION mpower.shift_pick_ups_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.shift_pick_ups_v1 TO mpower_clerk, mpower_officer;
