-- One shift with its sums: what its till should hold now, or held and was counted at when it was closed.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.shift_v1(which integer)
RETURNS TABLE (shift integer, counter text, office text, clerk text, person text, day date, opened_at timestamptz,
    float_paise bigint, float_cash text, carried_paise bigint, taken_paise bigint, picked_paise bigint, cash_paise bigint,
    limit_paise bigint, first_receipt text, last_receipt text, receipts bigint, cancelled bigint, closed_at timestamptz,
    closed_by text, counted_paise bigint, counted_cash text, handed_paise bigint, reason text,
    handed_to text, returned bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT s.shift, c.code, c.office, u.name, u.person, s.day, s.opened_at, s.float_paise, s.float_cash, s.carried_paise,
        r.cash, p.paise, coalesce(s.expected_paise, a.balance_paise), z.limit_paise, coalesce(r.first, ''),
        coalesce(r.last, ''), r.receipts, r.cancelled, s.closed_at, coalesce(s.closed_by, ''),
        coalesce(s.counted_paise, 0), coalesce(s.counted_cash, ''), coalesce(s.handed_paise, 0), coalesce(s.reason, ''),
        coalesce((SELECT t.name FROM mpower.shifts n JOIN mpower.users t USING (user_id) WHERE n.after_shift = s.shift), ''), r.returned
    FROM mpower.shifts s JOIN mpower.counters c USING (counter_id) JOIN mpower.users u USING (user_id)
    JOIN mpower.accounts a ON a.account = -(s.counter_id::bigint * 16 + 1)
    LEFT JOIN mpower.series z ON z.counter_id = s.counter_id AND z.financial_year = s.financial_year AND z.shift = s.shift
    CROSS JOIN LATERAL (
        SELECT count(*) AS receipts, count(*) FILTER (WHERE x.cancelled) AS cancelled,
            count(*) FILTER (WHERE x.returned) AS returned,
            coalesce(sum(x.amount_paise) FILTER (WHERE x.mode = 'CASH' AND NOT x.cancelled), 0)::bigint AS cash,
            (array_agg(x.number ORDER BY x.receipt))[1] AS first, (array_agg(x.number ORDER BY x.receipt DESC))[1] AS last
        FROM mpower.shift_receipts x WHERE x.shift = s.shift) r
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(k.paise), 0)::bigint AS paise FROM mpower.pick_ups k
        WHERE k.shift = s.shift AND k.voucher IS NOT NULL) p
    WHERE s.shift = which
$$;
REVOKE ALL ON FUNCTION mpower.shift_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.shift_v1 TO mpower_clerk, mpower_officer;
