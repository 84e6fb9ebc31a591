-- Recompute everything the ledger maintains; a row for each thing that does not fit, none when all is well. One part of
-- several looks at its share of consumers and counters, in one snapshot: the parts together have looked at all. The order
-- is that of the rules, then of the account, voucher or number, so that the first row is the first thing to look at.
--
-- A share is told by a remainder, of which the planner thinks that next to nothing meets it: it would look up each receipt
-- in an index. So nested loops are off, and the tables are walked and joined by hash, with bounded memory.

SET LOCAL ROLE mpower_owner;

-- Which part an account belongs to: all accounts of a consumer or counter share one.
CREATE FUNCTION mpower.part_of(account bigint, parts integer) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT (abs(account >> 4) % parts)::integer $$;

CREATE FUNCTION mpower.account_text(account bigint) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT CASE WHEN account >= 0 THEN lpad((account >> 4)::text, 10, '0') || ' slot ' || account % 16
        WHEN account > -16 THEN 'the board''s account ' || account
        ELSE coalesce((SELECT c.code FROM mpower.counters c WHERE c.counter_id = -account >> 4), 'counter ' || (-account >> 4))
            || ' slot ' || -account % 16 END
$$;

CREATE FUNCTION mpower.ledger_check_v1(part integer DEFAULT 0, parts integer DEFAULT 1)
RETURNS TABLE (what text, which text, expected text, found text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp SET jit = off
SET enable_nestloop = off AS $$
    WITH lines AS MATERIALIZED (
        SELECT l.account, sum(l.amount_paise) AS paise FROM mpower.ledger_lines l
        WHERE mpower.part_of(l.account, parts) = part GROUP BY l.account
    ), numbers AS MATERIALIZED (
        SELECT (r.receipt >> 38)::integer AS counter_id, (2000 + ((r.receipt >> 30) & 255))::smallint AS year,
            (r.receipt & 1073741823)::integer AS number, r.receipt, r.counter, r.consumer, r.mode, r.amount_paise, r.day
        FROM mpower.requests r WHERE r.receipt IS NOT NULL AND (r.receipt >> 38) % parts = part
    ), sealed AS MATERIALIZED (
        SELECT split_part(s.one, ':', 1)::bigint AS voucher, split_part(s.one, ':', 2) AS seal
        FROM mpower.audit_entries a CROSS JOIN LATERAL unnest(
            string_to_array(substring(a.details FROM '^\{"vouchers":"([0-9a-f: ]*)"'), ' ')) s (one)
        WHERE a.details LIKE '{"vouchers":%'
    ), lines_now AS MATERIALIZED (
        SELECT e.voucher, string_agg(mpower.entry_line(e), ''::bytea ORDER BY e.line) AS lines FROM mpower.entries e
        WHERE e.voucher < 274877906944 AND e.voucher % parts = part GROUP BY e.voucher
    ), events_now AS MATERIALIZED (
        SELECT x.voucher, string_agg(mpower.event_line(x), ''::bytea ORDER BY x.receipt, x.step) AS events
        FROM mpower.receipt_events x WHERE x.voucher % parts = part GROUP BY x.voucher
    )
    SELECT w.what, w.which, w.expected, w.found FROM (
    SELECT 1 AS rule, coalesce(a.account, s.account) AS place, 'balance of an account is the sum of its entries' AS what,
            mpower.account_text(coalesce(a.account, s.account)) AS which, coalesce(s.paise, 0)::text AS expected,
            coalesce(a.balance_paise::text, 'no such account') AS found
        FROM (SELECT * FROM mpower.accounts a WHERE mpower.part_of(a.account, parts) = part) a
        FULL JOIN lines s ON s.account = a.account
        WHERE a.balance_paise IS DISTINCT FROM coalesce(s.paise, 0)
    UNION ALL
    SELECT 2, 0, 'all balances sum to zero', '', '0', sum(a.balance_paise)::text FROM mpower.accounts a
        WHERE part = 0 HAVING sum(a.balance_paise) <> 0
    UNION ALL
    SELECT 3, r.consumer, 'what a consumer owes is the sum of the heads', lpad(r.consumer::text, 10, '0'),
            coalesce(h.paise, 0)::text, r.owed_paise::text
        FROM (SELECT a.account >> 4 AS consumer, a.owed_paise FROM mpower.accounts a
            WHERE a.account >= 0 AND a.account % 16 = 0 AND mpower.part_of(a.account, parts) = part) r
        LEFT JOIN (SELECT a.account >> 4 AS consumer, sum(a.balance_paise) AS paise FROM mpower.accounts a
            WHERE a.account >= 0 AND a.account % 16 > 0 AND mpower.part_of(a.account, parts) = part GROUP BY 1) h
            USING (consumer)
        WHERE r.owed_paise <> coalesce(h.paise, 0)
    UNION ALL
    SELECT 4, (coalesce(s.counter_id, n.counter_id)::bigint << 38), 'a series has no gap',
            c.code || '/' || coalesce(s.financial_year, n.year) || coalesce(', number ' || n.missing, ''),
            coalesce(s.last_number, 0)::text,
            format('%s numbers up to %s', coalesce(n.count, 0), coalesce(n.highest, 0))
        FROM (SELECT * FROM mpower.series s WHERE s.counter_id % parts = part) s
        FULL JOIN (SELECT n.counter_id, n.year, count(*) AS count, max(n.number) AS highest,
                min(n.place) FILTER (WHERE n.place <> n.number) AS missing
            FROM (SELECT n.counter_id, n.year, n.number,
                    row_number() OVER (PARTITION BY n.counter_id, n.year ORDER BY n.number) AS place FROM numbers n) n
            GROUP BY 1, 2) n
            ON n.counter_id = s.counter_id AND n.year = s.financial_year
        LEFT JOIN mpower.counters c ON c.counter_id = coalesce(s.counter_id, n.counter_id)
        WHERE coalesce(s.last_number, 0) <> coalesce(n.count, 0) OR coalesce(s.last_number, 0) <> coalesce(n.highest, 0)
    UNION ALL
    SELECT 5, r.receipt, 'a receipt has its one entry', mpower.receipt_text(r.counter, r.receipt), r.amount_paise::text,
            coalesce(e.amount_paise::text, 'none')
        FROM numbers r JOIN mpower.counters c USING (counter_id) LEFT JOIN mpower.entries e ON e.voucher = r.receipt
            AND e.voucher >= 274877906944 AND (e.voucher >> 38) % parts = part
        WHERE e.amount_paise IS DISTINCT FROM r.amount_paise
            OR e.debit IS DISTINCT FROM -((r.receipt >> 38) * 16 + CASE r.mode WHEN 'CASH' THEN CASE c.kind WHEN 'PAPER' THEN 9
                ELSE 1 END WHEN 'CHEQUE' THEN 2 WHEN 'DD' THEN 3 WHEN 'CARD' THEN 4 WHEN 'UPI' THEN 5 WHEN 'TRANSFER' THEN 6
                ELSE 7 END)
            OR e.credit IS DISTINCT FROM coalesce(r.consumer * 16, -((r.receipt >> 38) * 16 + 15)) OR e.line <> 1
    UNION ALL
    SELECT 6, r.consumer, 'a consumer''s receipts are one list', lpad(r.consumer::text, 10, '0'), count(*)::text,
            format('%s links, the last is %s', count(DISTINCT r.previous_receipt), min(a.last_receipt))
        FROM mpower.requests r JOIN mpower.accounts a ON a.account = r.consumer * 16
        WHERE r.receipt IS NOT NULL AND r.consumer % parts = part GROUP BY r.consumer
        HAVING count(*) <> count(DISTINCT r.previous_receipt) OR bool_or(r.previous_receipt = a.last_receipt)
            OR NOT bool_or(r.receipt = a.last_receipt)
    UNION ALL
    SELECT 7, e.voucher, 'an entry belongs to a receipt or a voucher', e.voucher::text, 'one', 'none' FROM mpower.entries e
        WHERE CASE WHEN e.voucher >= 274877906944 THEN (e.voucher >> 38) % parts ELSE e.voucher % parts END = part
            AND NOT EXISTS (SELECT FROM mpower.requests r WHERE r.receipt = e.voucher)
            AND NOT EXISTS (SELECT FROM mpower.vouchers v WHERE v.voucher = e.voucher)
    UNION ALL
    SELECT 8, v.voucher, 'a voucher moves what its receipts were', v.kind || ' voucher ' || v.voucher, t.paise::text,
            coalesce(m.paise, 0)::text
        FROM mpower.vouchers v
        LEFT JOIN (SELECT e.voucher, sum(r.amount_paise) AS paise FROM mpower.receipt_events e
            JOIN mpower.requests r USING (receipt) WHERE e.voucher % parts = part GROUP BY e.voucher) t USING (voucher)
        LEFT JOIN (SELECT e.voucher, sum(e.amount_paise) AS paise FROM mpower.entries e
            WHERE e.voucher < 274877906944 AND e.voucher % parts = part
                AND NOT (e.debit BETWEEN -15 AND -1 AND e.credit BETWEEN -15 AND -1)  -- what is held for the State
            GROUP BY e.voucher) m USING (voucher)
        WHERE v.voucher % parts = part AND t.paise IS DISTINCT FROM m.paise
            AND v.kind IN ('CANCEL', 'VERIFY', 'DISHONOUR', 'MATCH')
    UNION ALL
    SELECT 9, s.slip, 'a slip is its receipts and what its tills were short or over', 'slip ' || mpower.slip_text(s),
            (coalesce(r.paise, 0) + coalesce(d.paise, 0))::text, s.total_paise::text
        FROM mpower.slips s
        LEFT JOIN LATERAL (SELECT sum(r.amount_paise) AS paise FROM mpower.receipt_events e JOIN mpower.requests r
            USING (receipt) WHERE e.voucher = s.voucher) r ON true
        LEFT JOIN LATERAL (SELECT sum(h.counted_paise - h.expected_paise) AS paise FROM mpower.slip_shifts x
            JOIN mpower.shifts h USING (shift) WHERE x.slip = s.slip) d ON true
        WHERE s.slip % parts = part AND s.total_paise <> coalesce(r.paise, 0) + coalesce(d.paise, 0)
    UNION ALL
    SELECT 10, s.shift, 'a counter without a shift has nothing in its till, and no float out', c.code || ' slot '
            || -a.account % 16, '0', a.balance_paise::text
        FROM mpower.counters c JOIN mpower.accounts a ON a.account IN (-(c.counter_id::bigint * 16 + 1),
            -(c.counter_id::bigint * 16 + 10))
        LEFT JOIN mpower.shifts s ON s.counter_id = c.counter_id AND s.closed_at IS NULL
        WHERE c.counter_id % parts = part AND c.kind = 'COUNTER' AND s.shift IS NULL AND a.balance_paise <> 0
    UNION ALL
    SELECT 11, a.account, 'what is payable under a head is its balance less what awaits verification',
            mpower.account_text(a.account), (a.balance_paise - coalesce(w.paise, 0))::text, a.owed_paise::text
        FROM mpower.accounts a LEFT JOIN (
            SELECT r.consumer * 16 + mpower.own_slot(r.purpose) AS account, sum(r.amount_paise) AS paise
            FROM mpower.requests r WHERE r.receipt IS NOT NULL AND mpower.own_slot(r.purpose) IS NOT NULL
                AND NOT EXISTS (SELECT FROM mpower.receipt_events e WHERE e.receipt = r.receipt) GROUP BY 1) w USING (account)
        WHERE a.account >= 0 AND a.account % 16 BETWEEN 7 AND 11 AND mpower.part_of(a.account, parts) = part
            AND a.owed_paise <> a.balance_paise - coalesce(w.paise, 0)
    UNION ALL
    SELECT 12, r.account, 'what is not payable as dues is the sum of the heads with a purpose of their own',
            mpower.account_text(r.account), coalesce(h.paise, 0)::text, r.bound_paise::text
        FROM mpower.accounts r LEFT JOIN (SELECT a.account >> 4 << 4 AS account, sum(a.owed_paise) AS paise
            FROM mpower.accounts a WHERE a.account >= 0 AND a.account % 16 BETWEEN 7 AND 11 GROUP BY 1) h USING (account)
        WHERE r.account >= 0 AND r.account % 16 = 0 AND mpower.part_of(r.account, parts) = part
            AND r.bound_paise <> coalesce(h.paise, 0)
    UNION ALL
    SELECT 13, -10, 'what is charged for the State and not collected stands under the heads', '', sum(a.balance_paise)
            FILTER (WHERE a.account >= 0)::text, (-sum(a.balance_paise) FILTER (WHERE a.account = -10))::text
        FROM mpower.accounts a WHERE part = 0 AND (a.account = -10 OR a.account >= 0 AND a.account % 16 IN (5, 11))
        HAVING sum(a.balance_paise) <> 0
    UNION ALL
    SELECT 14, coalesce(v.voucher, s.voucher), 'a voucher is as the audit has sealed it',
            coalesce(v.kind || ' ', '') || 'voucher ' || coalesce(v.voucher, s.voucher), coalesce(left(s.seal, 16), 'no seal'),
            coalesce(left(v.seal, 16), 'gone')
        FROM (SELECT v.voucher, v.kind, mpower.voucher_seal(v, l.lines, x.events) AS seal
            FROM mpower.vouchers v LEFT JOIN lines_now l USING (voucher) LEFT JOIN events_now x USING (voucher) WHERE v.voucher % parts = part) v
        FULL JOIN (SELECT s.* FROM sealed s WHERE s.voucher % parts = part) s USING (voucher)
        WHERE v.seal IS DISTINCT FROM s.seal
    UNION ALL
    SELECT 15, c.voucher, 'a charge is what its voucher moved', lpad(c.consumer::text, 10, '0') || ' ' || c.reference,
            coalesce(sum(e.amount_paise), 0)::text, c.paise::text
        FROM mpower.charges c LEFT JOIN mpower.entries e ON e.voucher = c.voucher AND e.debit = c.consumer * 16 + c.slot
        WHERE c.voucher % parts = part GROUP BY c.voucher HAVING c.paise IS DISTINCT FROM sum(e.amount_paise)
    UNION ALL
    SELECT 16, -8, 'refunds payable are those that were not paid out', '', (-o.paise)::text, a.balance_paise::text
        FROM mpower.accounts a, (SELECT coalesce(sum(t.paise), 0) AS paise FROM mpower.transfers t WHERE t.kind = 'REFUND'
            AND NOT EXISTS (SELECT FROM mpower.payouts p WHERE p.refund = t.voucher)) o
        WHERE part = 0 AND a.account = -8 AND a.balance_paise <> -o.paise
    UNION ALL  -- of a day first what was taken, then its vouchers in turn: who gives holds the account before the number
    (SELECT DISTINCT ON (h.account) 17, h.account, 'no counter or bank gives what it does not hold',
            mpower.account_text(h.account) || ' on ' || h.day || ', voucher ' || h.voucher, '0 or more', h.stands::text
        FROM (SELECT m.*, sum(m.paise) OVER (PARTITION BY m.account ORDER BY m.day, m.voucher) AS stands FROM (
                SELECT -(n.counter_id::bigint * 16 + CASE n.mode WHEN 'CASH' THEN CASE c.kind WHEN 'PAPER' THEN 9 ELSE 1 END
                        WHEN 'CHEQUE' THEN 2 WHEN 'DD' THEN 3 WHEN 'CARD' THEN 4 WHEN 'UPI' THEN 5 WHEN 'TRANSFER' THEN 6
                        ELSE 7 END) AS account, n.day, 0::bigint AS voucher, sum(n.amount_paise) AS paise
                    FROM numbers n JOIN mpower.counters c USING (counter_id) GROUP BY 1, 2
                UNION ALL
                SELECT l.account, v.day, l.voucher, sum(l.amount_paise) FROM mpower.ledger_lines l
                    JOIN mpower.vouchers v USING (voucher)
                    WHERE l.voucher < 274877906944 AND l.account < -15 AND -l.account % 16 BETWEEN 1 AND 9
                        AND (-l.account >> 4) % parts = part GROUP BY 1, 2, 3) m) h
        WHERE h.stands < 0 ORDER BY h.account, h.day, h.voucher)
    ) w ORDER BY w.rule, w.place
$$;
REVOKE ALL ON FUNCTION mpower.ledger_check_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.ledger_check_v1 TO mpower_app, mpower_report, mpower_officer, mpower_ops, mpower_admin;
