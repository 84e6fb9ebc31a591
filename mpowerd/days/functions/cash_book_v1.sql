-- The cash book of a business date, of a counter or of all counters of an office and below it: for each counter and mode
-- what was in hand in the morning, what came in, was cancelled, went back as a dishonoured instrument before it was sent to
-- the bank, was short (negative) or over, left for the bank, moved otherwise, and what was in hand in the evening. Cash is
-- till, strong room and float together, so that what only moves between them does not show. All of it from the ledger: today's balance less what has moved since.
-- Planned for the date that is asked for: what has moved since today is little, and the rest of the ledger is not read.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.cash_book_v1(of_office text, at_counter text, of_day date)
RETURNS TABLE (counter text, mode text, opening bigint, receipts bigint, received bigint, cancelled bigint,
    returned bigint, difference bigint, remitted bigint, other bigint, closing bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp SET jit = off
SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH places AS MATERIALIZED (
        SELECT c.counter_id, c.code, a.account, a.balance_paise, s.mode
        FROM mpower.counters c CROSS JOIN (VALUES (1, 'CASH'), (9, 'CASH'), (10, 'CASH'), (2, 'CHEQUE'), (3, 'DD'),
            (4, 'CARD'), (5, 'UPI'), (6, 'TRANSFER'), (7, 'POSTAL_ORDER')) s (slot, mode)
        JOIN mpower.accounts a ON a.account = -(c.counter_id::bigint * 16 + s.slot)
        WHERE c.kind <> 'BANK' AND mpower.office_within(c.office, of_office) AND (at_counter = '' OR c.code = at_counter)
    ), moves AS (
        SELECT p.code, p.mode, r.day, 'RECEIPT' AS kind, e.amount_paise AS paise
        FROM mpower.requests r JOIN mpower.entries e ON e.voucher = r.receipt JOIN places p ON p.account = e.debit
        WHERE r.receipt IS NOT NULL AND r.day >= of_day
        UNION ALL
        SELECT p.code, p.mode, v.day, v.kind, l.amount_paise
        FROM mpower.vouchers v JOIN mpower.ledger_lines l USING (voucher) JOIN places p ON p.account = l.account
        WHERE v.day >= of_day AND v.kind NOT IN ('OPENING', 'VERIFY')
    ), sums AS (
        SELECT m.code, m.mode, sum(m.paise)::bigint AS since, sum(m.paise) FILTER (WHERE m.day > of_day) AS after,
            count(*) FILTER (WHERE m.day = of_day AND m.kind = 'RECEIPT') AS receipts,
            sum(m.paise) FILTER (WHERE m.day = of_day AND m.kind = 'RECEIPT') AS received,
            sum(m.paise) FILTER (WHERE m.day = of_day AND m.kind = 'CANCEL') AS cancelled,
            sum(m.paise) FILTER (WHERE m.day = of_day AND m.kind = 'DISHONOUR') AS returned,
            sum(m.paise) FILTER (WHERE m.day = of_day AND m.kind = 'CLOSING') AS difference,
            sum(m.paise) FILTER (WHERE m.day = of_day AND m.kind = 'REMIT') AS remitted,
            sum(m.paise) FILTER (WHERE m.day = of_day AND m.kind NOT IN ('RECEIPT', 'CANCEL', 'DISHONOUR', 'CLOSING',
                'REMIT')) AS other
        FROM moves m GROUP BY m.code, m.mode
    )
    SELECT b.code, b.mode, b.paise - coalesce(s.since, 0), coalesce(s.receipts, 0), coalesce(s.received, 0)::bigint,
        coalesce(-s.cancelled, 0)::bigint, coalesce(-s.returned, 0)::bigint, coalesce(s.difference, 0)::bigint,
        coalesce(-s.remitted, 0)::bigint, coalesce(s.other, 0)::bigint, (b.paise - coalesce(s.after, 0))::bigint
    FROM (SELECT p.code, p.mode, sum(p.balance_paise)::bigint AS paise FROM places p GROUP BY p.code, p.mode) b
    LEFT JOIN sums s ON s.code = b.code AND s.mode = b.mode
    WHERE b.paise <> 0 OR s.code IS NOT NULL ORDER BY b.code, b.mode;
END
$$;
REVOKE ALL ON FUNCTION mpower.cash_book_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.cash_book_v1 TO mpower_officer;
