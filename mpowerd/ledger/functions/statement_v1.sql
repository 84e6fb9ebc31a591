-- A page of a consumer's statement, the newest voucher first: carried back from what stands now, or from where the page after
-- it began (`from_receipt`, `from_voucher`, `carried`), so that it costs the same however long the history is. Two lists are
-- merged by business date and moment, each in its own order: the consumer's receipts along their own list, and the vouchers
-- by their numbers. What lies after `until` is passed over. There is always one row; without a voucher where the page is
-- empty. No row: no such consumer.

SET LOCAL ROLE mpower_owner;

-- The numbers of the newest vouchers below a number that touched a consumer, newest first.
CREATE FUNCTION mpower.vouchers_of(first bigint, below bigint, most integer) RETURNS bigint[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, mpower, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN (SELECT coalesce(array_agg(t.voucher ORDER BY t.voucher DESC), '{}') FROM (
        SELECT DISTINCT e.voucher FROM generate_series(0, 15) g (slot) CROSS JOIN LATERAL (
            (SELECT e.voucher FROM mpower.entries e WHERE e.voucher < 274877906944 AND e.debit = first + g.slot
                AND e.voucher < below ORDER BY e.voucher DESC LIMIT most)
            UNION ALL
            (SELECT e.voucher FROM mpower.entries e WHERE e.voucher < 274877906944 AND e.credit = first + g.slot
                AND e.voucher < below ORDER BY e.voucher DESC LIMIT most)) e
        ORDER BY e.voucher DESC LIMIT most) t);
END
$$;

-- What vouchers did to a consumer's heads: a voucher's place among them, slot, paise. Each head's lines are read from the
-- oldest to the newest of them, never a voucher's lines of everybody else.
CREATE FUNCTION mpower.lines_of(first bigint, vouchers bigint[]) RETURNS TABLE (place integer, slot integer, paise bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, mpower, pg_temp SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
    oldest bigint;
    newest bigint;
BEGIN
    SELECT min(o.voucher), max(o.voucher) INTO oldest, newest FROM unnest(vouchers) o (voucher) WHERE o.voucher < 274877906944;
    RETURN QUERY SELECT o.nth::integer, l.slot, sum(l.paise)::bigint
    FROM unnest(vouchers) WITH ORDINALITY o (voucher, nth) JOIN (
        SELECT e.voucher, 0 AS slot, -e.amount_paise AS paise FROM unnest(vouchers) t (voucher)
            JOIN mpower.entries e ON e.voucher = t.voucher WHERE t.voucher >= 274877906944
        UNION ALL
        SELECT e.voucher, g.slot, e.paise FROM generate_series(0, 15) g (slot) CROSS JOIN LATERAL (
            SELECT e.voucher, e.amount_paise AS paise FROM mpower.entries e WHERE e.voucher < 274877906944
                AND e.debit = first + g.slot AND e.voucher BETWEEN oldest AND newest
            UNION ALL
            SELECT e.voucher, -e.amount_paise FROM mpower.entries e WHERE e.voucher < 274877906944
                AND e.credit = first + g.slot AND e.voucher BETWEEN oldest AND newest) e) l USING (voucher)
    GROUP BY o.nth, l.slot;
END
$$;

-- Where a statement up to a date begins: the newest receipt and the number above the newest voucher, with what was payable.
CREATE FUNCTION mpower.stood_on(first bigint, until date, INOUT receipt bigint, INOUT paise bigint, OUT above bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, mpower, pg_temp AS $$
DECLARE
    one record;
BEGIN
    LOOP
        SELECT r.day, r.amount_paise, r.previous_receipt INTO one FROM mpower.requests r WHERE r.receipt = stood_on.receipt;
        EXIT WHEN one.day IS NULL OR one.day <= until;
        paise := paise + one.amount_paise;
        receipt := one.previous_receipt;
    END LOOP;
    WITH moved AS (
        SELECT e.voucher, e.amount_paise FROM mpower.entries e
            WHERE e.voucher < 274877906944 AND e.debit BETWEEN first AND first + 15
        UNION ALL
        SELECT e.voucher, -e.amount_paise FROM mpower.entries e
            WHERE e.voucher < 274877906944 AND e.credit BETWEEN first AND first + 15
    ), bound AS (
        SELECT coalesce(max(v.voucher) FILTER (WHERE v.day <= until) + 1, 0) AS above
        FROM moved m JOIN mpower.vouchers v USING (voucher)
    )
    SELECT b.above, stood_on.paise - coalesce(sum(m.amount_paise), 0) INTO above, paise
        FROM bound b LEFT JOIN moved m ON m.voucher >= b.above GROUP BY b.above;
END
$$;

CREATE FUNCTION mpower.statement_v1(
    whom bigint, since date, until date, from_receipt bigint, from_voucher bigint, carried bigint, most integer
) RETURNS TABLE (opening bigint, closing bigint, next_receipt bigint, next_voucher bigint, more boolean, day date,
    at timestamptz, voucher bigint, number text, kind text, by text, mode text, instrument text, about text, other text,
    reference text, reason text, purposes text, allocation text, slots integer[], paise bigint[], moved bigint, balance bigint,
    payout bigint, paid_on date)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp SET jit = off
SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_variable
DECLARE
    first CONSTANT bigint := whom * 16;
    ahead CONSTANT integer := most + 1;
    numbers bigint[] := '{}';
    nth integer := 1;
    r record;
    v record;
    page bigint[] := '{}';
    settled bigint[] := '{}';
    settles bigint[] := '{}';
    awaited bigint;
    event record;
    line_places integer[];
    line_slots integer[];
    line_paise bigint[];
BEGIN
    IF NOT EXISTS (SELECT FROM mpower.consumers c WHERE c.consumer = whom) THEN
        RETURN;
    END IF;
    IF from_voucher IS NULL THEN
        SELECT a.last_receipt INTO from_receipt FROM mpower.accounts a WHERE a.account = first;
        SELECT sum(a.balance_paise) INTO carried FROM mpower.accounts a WHERE a.account BETWEEN first AND first + 15;
        from_voucher := 274877906944;
        IF until IS NOT NULL THEN
            SELECT s.receipt, s.paise, s.above INTO from_receipt, carried, from_voucher
                FROM mpower.stood_on(first, until, from_receipt, carried) s;
        END IF;
    END IF;
    next_receipt := from_receipt;
    next_voucher := from_voucher;
    more := false;
    SELECT q.receipt, q.day, q.at, q.previous_receipt INTO r FROM mpower.requests q
        WHERE q.receipt = next_receipt AND q.consumer = whom;
    LOOP
        IF nth > cardinality(numbers) AND (numbers = '{}' OR cardinality(numbers) = ahead) THEN
            numbers := mpower.vouchers_of(first, next_voucher, ahead);
            nth := 1;
        END IF;
        SELECT x.voucher, x.day, x.at INTO v FROM mpower.vouchers x WHERE x.voucher = numbers[nth];
        EXIT WHEN r.receipt IS NULL AND v.voucher IS NULL OR greatest(r.day, v.day) < since;
        more := cardinality(page) = most;
        EXIT WHEN more;
        IF v.voucher IS NULL OR (r.day, r.at) >= (v.day, v.at) THEN
            page := page || r.receipt;
            next_receipt := r.previous_receipt;
            SELECT q.receipt, q.day, q.at, q.previous_receipt INTO r FROM mpower.requests q
                WHERE q.receipt = next_receipt AND q.consumer = whom;
        ELSE
            page := page || v.voucher;
            next_voucher := v.voucher;
            nth := nth + 1;
        END IF;
    END LOOP;

    -- Which receipts the page's vouchers settled: the list is walked on until all money that left "received" is found.
    SELECT array_agg(l.place), array_agg(l.slot), array_agg(l.paise) INTO line_places, line_slots, line_paise
        FROM mpower.lines_of(first, page) l;
    SELECT coalesce(sum(l.paise), 0) INTO awaited FROM unnest(line_places, line_slots, line_paise) l (place, slot, paise)
        WHERE l.slot = 0 AND page[l.place] < 274877906944;
    r.receipt := from_receipt;
    WHILE awaited > 0 LOOP
        SELECT q.receipt, q.amount_paise, q.previous_receipt, e.voucher INTO event FROM mpower.requests q
            LEFT JOIN mpower.receipt_events e ON e.receipt = q.receipt AND e.step = 1
            WHERE q.receipt = r.receipt AND q.consumer = whom;
        EXIT WHEN event.receipt IS NULL;
        IF event.voucher = ANY (page) THEN
            settled := settled || event.receipt;
            settles := settles || event.voucher;
            awaited := awaited - event.amount_paise;
        END IF;
        r.receipt := event.previous_receipt;
    END LOOP;

    RETURN QUERY
    WITH lines AS (
        SELECT l.place, array_agg(l.slot ORDER BY l.slot) AS slots, array_agg(l.paise ORDER BY l.slot) AS paise,
            sum(l.paise)::bigint AS moved FROM unnest(line_places, line_slots, line_paise) l (place, slot, paise)
        GROUP BY l.place
    ), running AS (
        SELECT l.*, page[l.place] AS voucher,
            carried - coalesce(sum(l.moved) OVER (ORDER BY l.place ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)::bigint
                AS balance FROM lines l
    ), facts AS (
        SELECT s.voucher, s.receipt FROM unnest(settles, settled) s (voucher, receipt)
        UNION
        SELECT t.voucher, t.receipt FROM unnest(page) p (voucher) JOIN mpower.transfers t ON t.voucher = p.voucher
            AND t.receipt IS NOT NULL
        UNION
        SELECT e.voucher, e.receipt FROM mpower.dishonours d JOIN mpower.receipt_events e ON e.receipt = d.receipt
            AND e.step IN (4, 5) WHERE d.consumer = whom AND e.voucher = ANY (page)
    ), told AS (
        SELECT f.voucher, string_agg(mpower.receipt_text(q.counter, q.receipt), ' ' ORDER BY q.receipt) AS about,
            string_agg(DISTINCT q.purpose, ' ') AS purposes, string_agg(DISTINCT nullif(e.reason, ''), '; ') AS reason,
            min(q.day) AS day
        FROM facts f JOIN mpower.requests q ON q.receipt = f.receipt
        LEFT JOIN mpower.receipt_events e ON e.receipt = f.receipt AND e.voucher = f.voucher GROUP BY f.voucher
    ), spread AS (
        SELECT x.voucher, coalesce(t.day, x.day) AS day FROM running u JOIN mpower.vouchers x ON x.voucher = u.voucher
            LEFT JOIN told t ON t.voucher = u.voucher WHERE x.kind IN ('VERIFY', 'MATCH', 'MOVE')
    ), rules AS MATERIALIZED (
        SELECT d.day, (mpower.payment_rule(d.day)).allocation FROM (SELECT DISTINCT s.day FROM spread s) d
    )
    SELECT carried - coalesce((SELECT sum(l.moved) FROM lines l), 0)::bigint, carried, next_receipt, next_voucher, more,
        coalesce(x.day, q.day), coalesce(x.at, q.at), u.voucher,
        CASE WHEN q.receipt IS NOT NULL THEN mpower.receipt_text(q.counter, q.receipt) ELSE 'V-' || u.voucher END,
        coalesce(x.kind, 'RECEIPT'), coalesce(x.by, q.actor), coalesce(q.mode, o.mode, ''), coalesce(q.instrument, o.reference, ''),
        coalesce(t.about, ''),
        coalesce(lpad(CASE whom WHEN f.consumer THEN f.to_consumer ELSE f.consumer END::text, 10, '0'), ''),
        coalesce(nullif(f.reference, ''), c.reference, ''), coalesce(f.reason, w.reason, c.reason, t.reason, ''),
        coalesce(q.purpose, t.purposes, ''), coalesce(y.allocation, ''),
        u.slots, u.paise, u.moved, u.balance, o.voucher, z.day
    FROM (SELECT) one LEFT JOIN running u ON true
    LEFT JOIN mpower.vouchers x ON x.voucher = u.voucher
    LEFT JOIN mpower.requests q ON q.receipt = u.voucher
    LEFT JOIN mpower.transfers f ON f.voucher = u.voucher
    LEFT JOIN mpower.payouts o ON o.refund = u.voucher
    LEFT JOIN mpower.vouchers z ON z.voucher = o.voucher
    LEFT JOIN mpower.withdrawals w ON w.voucher = u.voucher
    LEFT JOIN mpower.charges c ON c.voucher = coalesce(w.charge, u.voucher)
    LEFT JOIN told t ON t.voucher = u.voucher
    LEFT JOIN spread s ON s.voucher = u.voucher
    LEFT JOIN rules y ON y.day = s.day
    ORDER BY u.place DESC;
END
$$;
REVOKE ALL ON FUNCTION mpower.statement_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.statement_v1 TO mpower_clerk, mpower_officer, mpower_ops;
