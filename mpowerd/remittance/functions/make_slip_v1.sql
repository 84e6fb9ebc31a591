-- Make the next slip of an office over all it has of one kind (bank and place), at most `most` instruments: a voucher puts
-- them in transit and the receipts become REMITTED. `said` is what was counted or listed: it must be what they sum to.
-- What was sent up to head office is at the bank already: it took the oldest receipts first, and a slip has those that the
-- account still covers. What is left of one that went up in part goes up too.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.make_slip_v1(
    of_office text, kind text, bank text, place text, cash text, said bigint, by text, most integer
) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    today record;
    shifts integer[];
    receipts bigint[];
    waiting text;
    sent text;
    total bigint;
    ids integer[];
    parts bigint[];
    slot CONSTANT integer := CASE kind WHEN 'CASH' THEN 9 WHEN 'CHEQUE' THEN 2 WHEN 'DD' THEN 3 WHEN 'CARD' THEN 4
        WHEN 'UPI' THEN 5 WHEN 'TRANSFER' THEN 6 WHEN 'POSTAL_ORDER' THEN 7 END;
    next integer;
    moved bigint;
    made integer;
BEGIN
    SELECT d.day, d.financial_year INTO today FROM mpower.open_day() d;
    IF NOT EXISTS (SELECT FROM mpower.offices o WHERE o.office = of_office) THEN
        PERFORM mpower.refuse('NO_OFFICE', json_build_object('office', of_office));
    END IF;
    -- One slip of an office at a time: what is chosen below is nobody else's.
    INSERT INTO mpower.slip_series AS n (office, financial_year, last_number) VALUES (of_office, today.financial_year, 1)
        ON CONFLICT (office, financial_year) DO UPDATE SET last_number = n.last_number + 1 RETURNING last_number INTO next;
    IF kind = 'CASH' THEN
        SELECT array_agg(c.shift) INTO shifts FROM mpower.cash_to_remit c WHERE c.office = of_office;
        SELECT array_agg(t.receipt) INTO receipts FROM mpower.to_remit t WHERE t.shift = ANY (shifts) AND t.kind = 'CASH';
        SELECT array_agg(p.counter_id), array_agg(p.paise), sum(p.paise) INTO ids, parts, total FROM (
            SELECT c.counter_id, sum(c.paise)::bigint AS paise FROM mpower.cash_to_remit c WHERE c.shift = ANY (shifts)
            GROUP BY c.counter_id ORDER BY c.counter_id) p;
    ELSE
        PERFORM mpower.hold_accounts(ARRAY(SELECT -(t.counter_id::bigint * 16 + s.slot) FROM (SELECT DISTINCT t.counter_id
            FROM mpower.to_remit t WHERE t.office = of_office AND t.kind = kind) t, unnest(ARRAY[slot, 8]) s (slot)));
        SELECT array_agg(t.receipt), array_agg(DISTINCT t.shift) INTO receipts, shifts FROM (
            SELECT t.receipt, t.shift FROM (
                SELECT t.receipt, t.shift, -(t.counter_id::bigint * 16 + slot) AS account,
                    sum(t.paise) OVER (PARTITION BY t.counter_id ORDER BY t.receipt DESC) AS newer
                FROM mpower.to_remit t
                WHERE t.office = of_office AND t.kind = kind AND t.bank = bank AND t.place = place) t
            JOIN mpower.accounts a ON a.account = t.account AND a.balance_paise >= t.newer ORDER BY t.receipt LIMIT most) t;
        SELECT array_agg(p.counter_id), array_agg(p.paise), sum(p.paise) INTO ids, parts, total FROM (
            SELECT (r.receipt >> 38)::integer AS counter_id, sum(r.amount_paise)::bigint AS paise FROM mpower.requests r
            WHERE r.receipt = ANY (receipts) GROUP BY 1 ORDER BY 1) p;
    END IF;
    SELECT string_agg(g.counter || ' ' || g.paise / 100 || '.' || lpad((g.paise % 100)::text, 2, '0'), ', ') INTO sent FROM (
        SELECT t.counter, sum(t.paise)::bigint AS paise FROM mpower.to_remit t WHERE t.office = of_office AND t.kind = kind
            AND receipts IS NULL AND kind <> 'CASH' AND t.bank = bank AND t.place = place GROUP BY 1 ORDER BY 1 LIMIT 10) g;
    IF sent IS NOT NULL THEN
        PERFORM mpower.refuse('SENT_UP_BEFORE', json_build_object('kind', kind, 'counters', sent));
    ELSIF coalesce(total, 0) <= 0 THEN
        PERFORM mpower.refuse('NOTHING_TO_REMIT', json_build_object('office', of_office, 'kind', kind));
    ELSIF place = 'UNSORTED' THEN
        PERFORM mpower.refuse('UNSORTED', json_build_object('count', cardinality(receipts)::text));
    END IF;
    SELECT string_agg(w.counter || ' of ' || w.day, ', ') INTO waiting FROM (SELECT DISTINCT t.counter, t.day
        FROM mpower.to_remit t WHERE t.receipt = ANY (receipts) AND NOT t.verified ORDER BY 1, 2 LIMIT 10) w;
    IF waiting IS NOT NULL THEN
        PERFORM mpower.refuse('UNVERIFIED', json_build_object('counters', waiting));
    ELSIF total <> said THEN
        PERFORM mpower.refuse('SLIP_TOTAL', json_build_object('kind', kind, 'said', said, 'found', total));
    END IF;
    moved := mpower.post_voucher('REMIT', today.day, by, ARRAY(SELECT -(id::bigint * 16 + 8) FROM unnest(ids) id),
        ARRAY(SELECT -(id::bigint * 16 + slot) FROM unnest(ids) id), parts);
    INSERT INTO mpower.slips (office, financial_year, number, kind, bank, place, day, at, by, cash, total_paise, voucher)
        VALUES (of_office, today.financial_year, next, kind, bank, place, today.day, now(), by, cash, total, moved)
        RETURNING slip INTO made;
    INSERT INTO mpower.receipt_events (receipt, step, state, after, voucher, day, at, by, reason)
        SELECT g.receipt, 2, 'REMITTED', 'VERIFIED', moved, today.day, now(), by, '' FROM unnest(receipts) g (receipt);
    IF kind = 'CASH' THEN
        INSERT INTO mpower.slip_shifts (shift, slip) SELECT g.shift, made FROM unnest(shifts) g (shift);
    END IF;
    UPDATE mpower.shifts s SET pending = EXISTS (SELECT FROM mpower.to_remit t WHERE t.shift = s.shift)
            OR NOT EXISTS (SELECT FROM mpower.slip_shifts x WHERE x.shift = s.shift)
        WHERE s.shift = ANY (shifts);
    RETURN made;
END
$$;
REVOKE ALL ON FUNCTION mpower.make_slip_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.make_slip_v1 TO mpower_officer;
