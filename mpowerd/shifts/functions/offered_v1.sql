-- The last offer of a held shift: to whom, as what it was counted, and whether it still stands so; no row: none.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.offered_v1(which integer) RETURNS TABLE (whom text, counted bigint, fresh boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT u.name, o.counted_paise, o.last_number = z.last_number AND o.expected_paise = a.balance_paise
        AND o.gone = (SELECT count(*) FROM mpower.shift_receipts x WHERE x.shift = which AND (x.cancelled OR x.returned))
    FROM mpower.hand_overs o JOIN mpower.users u ON u.user_id = o.to_user JOIN mpower.series z ON z.shift = o.shift
    JOIN mpower.accounts a ON a.account = -(z.counter_id::bigint * 16 + 1)
    WHERE o.shift = which ORDER BY o.hand_over DESC LIMIT 1
$$;
REVOKE ALL ON FUNCTION mpower.offered_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.offered_v1 TO mpower_clerk;
