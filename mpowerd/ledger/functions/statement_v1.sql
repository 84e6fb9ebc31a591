-- A consumer's vouchers in order of business date and booking, with what was payable before them and after each. Receipts
-- are found along the consumer's own list, all else by the index of the entries that belong to no receipt. There is always
-- one row, with the opening; without a voucher where the page is empty. No row: no such consumer.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.statement_v1(
    consumer bigint, since date, until date, after_day date, after_at timestamptz, after_voucher bigint, most integer
) RETURNS TABLE (opening bigint, day date, at timestamptz, voucher bigint, number text, kind text, about text, mode text,
    instrument text, by text, reason text, slots integer[], paise bigint[], moved bigint, balance bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp SET jit = off AS $$
    WITH RECURSIVE own AS (
        SELECT statement_v1.consumer * 16 AS first
    ), receipts AS (
        SELECT r.* FROM own JOIN mpower.accounts a ON a.account = own.first
            JOIN mpower.requests r ON r.receipt = a.last_receipt
        UNION ALL
        SELECT r.* FROM receipts w JOIN mpower.requests r ON r.receipt = w.previous_receipt
    ), lines AS (
        SELECT e.voucher, e.credit - own.first AS slot, -e.amount_paise AS paise
            FROM own, receipts r JOIN mpower.entries e ON e.voucher = r.receipt
        UNION ALL
        SELECT e.voucher, g.slot, e.amount_paise FROM own CROSS JOIN generate_series(0, 15) g (slot)
            JOIN mpower.entries e ON e.voucher < 274877906944 AND e.debit = own.first + g.slot
        UNION ALL
        SELECT e.voucher, g.slot, -e.amount_paise FROM own CROSS JOIN generate_series(0, 15) g (slot)
            JOIN mpower.entries e ON e.voucher < 274877906944 AND e.credit = own.first + g.slot
    ), heads AS (
        SELECT l.voucher, l.slot::integer AS slot, sum(l.paise)::bigint AS paise FROM lines l GROUP BY 1, 2
    ), moves AS (
        SELECT h.voucher, array_agg(h.slot ORDER BY h.slot) AS slots, array_agg(h.paise ORDER BY h.slot) AS paise,
            sum(h.paise)::bigint AS moved FROM heads h GROUP BY h.voucher
    ), said AS (
        SELECT m.*, coalesce(v.day, r.day) AS day, coalesce(v.at, r.at) AS at, coalesce(v.kind, 'RECEIPT') AS kind,
            CASE WHEN r.receipt IS NOT NULL THEN mpower.receipt_text(r.counter, r.receipt) ELSE 'V-' || m.voucher END AS number,
            coalesce(r.mode, '') AS mode, coalesce(r.instrument, '') AS instrument, coalesce(v.by, r.actor) AS by
        FROM moves m LEFT JOIN receipts r ON r.receipt = m.voucher LEFT JOIN mpower.vouchers v ON v.voucher = m.voucher
    ), running AS (
        SELECT s.*, sum(s.moved) OVER (ORDER BY s.day, s.at, s.voucher)::bigint AS balance FROM said s
    ), page AS (
        SELECT u.* FROM running u
        WHERE (since IS NULL OR u.day >= since) AND (until IS NULL OR u.day <= until)
            AND (after_day IS NULL OR (u.day, u.at, u.voucher) > (after_day, after_at, after_voucher))
        ORDER BY u.day, u.at, u.voucher LIMIT most + 1
    ), before AS (
        SELECT coalesce(sum(u.moved), 0)::bigint AS opening FROM running u
        WHERE CASE WHEN after_day IS NULL THEN u.day < since
            ELSE (u.day, u.at, u.voucher) <= (after_day, after_at, after_voucher) END
    )
    SELECT b.opening, p.day, p.at, p.voucher, p.number, p.kind, coalesce(t.about, ''), p.mode, p.instrument, p.by,
        coalesce(t.reason, ''), p.slots, p.paise, p.moved, p.balance
    FROM mpower.consumers c CROSS JOIN before b LEFT JOIN page p ON true
    LEFT JOIN LATERAL (
        SELECT string_agg(mpower.receipt_text(r.counter, r.receipt), ' ' ORDER BY r.receipt) AS about,
            string_agg(DISTINCT nullif(e.reason, ''), '; ') AS reason
        FROM receipts r JOIN mpower.receipt_events e ON e.receipt = r.receipt AND e.voucher = p.voucher) t ON true
    WHERE c.consumer = statement_v1.consumer ORDER BY p.day, p.at, p.voucher
$$;
REVOKE ALL ON FUNCTION mpower.statement_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.statement_v1 TO mpower_clerk, mpower_officer, mpower_ops;
