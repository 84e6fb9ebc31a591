-- Recompute everything the ledger maintains; a row for each thing that does not fit, none when all is well.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.ledger_check_v1() RETURNS TABLE (what text, which text, expected text, found text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT 'balance of an account is the sum of its entries', coalesce(a.account, s.account)::text,
            coalesce(s.paise, 0)::text, a.balance_paise::text
        FROM mpower.accounts a FULL JOIN (
            SELECT l.account, sum(l.amount_paise) AS paise FROM mpower.ledger_lines l GROUP BY l.account) s
            ON s.account = a.account
        WHERE a.balance_paise IS DISTINCT FROM coalesce(s.paise, 0)
    UNION ALL
    SELECT 'all balances sum to zero', '', '0', sum(a.balance_paise)::text FROM mpower.accounts a
        HAVING sum(a.balance_paise) <> 0
    UNION ALL
    SELECT 'what a consumer owes is the sum of the heads', r.consumer::text, coalesce(h.paise, 0)::text, r.owed_paise::text
        FROM (SELECT a.account / 16 AS consumer, a.owed_paise FROM mpower.accounts a
            WHERE a.account >= 0 AND a.account % 16 = 0) r
        LEFT JOIN (SELECT a.account / 16 AS consumer, sum(a.balance_paise) AS paise FROM mpower.accounts a
            WHERE a.account >= 0 AND a.account % 16 > 0 GROUP BY 1) h USING (consumer)
        WHERE r.owed_paise <> coalesce(h.paise, 0)
    UNION ALL
    SELECT 'a series has no gap', c.code || ' ' || coalesce(s.financial_year, n.year)::text,
            coalesce(s.last_number, 0)::text, format('%s numbers up to %s', coalesce(n.count, 0), coalesce(n.highest, 0))
        FROM mpower.series s
        FULL JOIN (SELECT (r.receipt >> 38)::integer AS counter_id, (2000 + ((r.receipt >> 30) & 255))::smallint AS year,
                count(*) AS count, max(r.receipt & 1073741823) AS highest
            FROM mpower.requests r WHERE r.receipt IS NOT NULL GROUP BY 1, 2) n
            ON n.counter_id = s.counter_id AND n.year = s.financial_year
        LEFT JOIN mpower.counters c ON c.counter_id = coalesce(s.counter_id, n.counter_id)
        WHERE coalesce(s.last_number, 0) <> coalesce(n.count, 0) OR coalesce(s.last_number, 0) <> coalesce(n.highest, 0)
    UNION ALL
    SELECT 'a receipt has its one entry', mpower.receipt_text(r.counter, r.receipt), r.amount_paise::text,
            coalesce(e.amount_paise::text, 'none')
        FROM mpower.requests r LEFT JOIN mpower.entries e ON e.voucher = r.receipt
        WHERE r.receipt IS NOT NULL AND (e.amount_paise IS DISTINCT FROM r.amount_paise
            OR e.credit IS DISTINCT FROM coalesce(r.consumer * 16, -((r.receipt >> 38) * 16 + 15)) OR e.line <> 1)
    UNION ALL
    SELECT 'a consumer''s receipts are one list', r.consumer::text, count(*)::text,
            format('%s links, the last is %s', count(DISTINCT r.previous_receipt), min(a.last_receipt))
        FROM mpower.requests r JOIN mpower.accounts a ON a.account = r.consumer * 16
        WHERE r.receipt IS NOT NULL GROUP BY r.consumer
        HAVING count(*) <> count(DISTINCT r.previous_receipt) OR bool_or(r.previous_receipt = a.last_receipt)
            OR NOT bool_or(r.receipt = a.last_receipt)
    UNION ALL
    SELECT 'an entry belongs to a receipt or a voucher', e.voucher::text, 'one', 'none' FROM mpower.entries e
        WHERE NOT EXISTS (SELECT FROM mpower.requests r WHERE r.receipt = e.voucher)
            AND NOT EXISTS (SELECT FROM mpower.vouchers v WHERE v.voucher = e.voucher)
    UNION ALL
    SELECT 'a voucher moves what its receipts were', v.voucher::text, t.paise::text, coalesce(m.paise, 0)::text
        FROM mpower.vouchers v
        JOIN (SELECT e.voucher, sum(r.amount_paise) AS paise FROM mpower.receipt_events e
            JOIN mpower.requests r USING (receipt) GROUP BY e.voucher) t USING (voucher)
        LEFT JOIN (SELECT e.voucher, sum(e.amount_paise) AS paise FROM mpower.entries e GROUP BY e.voucher) m USING (voucher)
        WHERE t.paise IS DISTINCT FROM m.paise
$$;
REVOKE ALL ON FUNCTION mpower.ledger_check_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.ledger_check_v1 TO mpower_app, mpower_report;
