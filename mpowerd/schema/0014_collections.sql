-- What a payment is for, by which rule it is spread, what a voucher does to the balances; cheques that came back.

SET LOCAL ROLE mpower_owner;

-- The slot of the one head that a purpose pays; null: dues, spread over the energy heads in the board's order.
CREATE FUNCTION mpower.own_slot(purpose text) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE purpose WHEN 'INSTALMENT' THEN 7 WHEN 'NON_ENERGY' THEN 8 WHEN 'SUNDRY' THEN 9 WHEN 'THEFT' THEN 10
        WHEN 'COMPOUNDING' THEN 11 END
$$;

-- The board's rule for payments on a day: the master's row, else what a board begins with.
CREATE FUNCTION mpower.payment_rule(on_day date, OUT allocation text, OUT stale_months integer, OUT bar_days integer,
    OUT dishonour_paise bigint, OUT surcharge_bp integer)
LANGUAGE sql STABLE SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT coalesce(r.said ->> 'allocation', 'LPSC,CHEQUE_CHARGE,ARREARS,CURRENT,FIXED,DUTY'),
        coalesce((r.said ->> 'stale_months')::integer, 3), coalesce((r.said ->> 'bar_days')::integer, 365),
        coalesce((r.said ->> 'dishonour_paise')::bigint, 30000), coalesce((r.said ->> 'surcharge_bp')::integer, 150)
    FROM (VALUES (true)) one LEFT JOIN LATERAL (
        SELECT m.content::json AS said FROM mpower.masters m
        WHERE m.master = 'payment_rules' AND m.key = 'BOARD' AND m.valid_from <= on_day
        ORDER BY m.valid_from DESC, m.at DESC LIMIT 1) r ON true
$$;

-- Bring the balances up to a voucher's entries. Consumers' RECEIVED accounts are locked first, in order: whoever changes a
-- head holds its consumer. `awaited`: the money was received for a head of its own purpose and is subtracted there already.
CREATE FUNCTION mpower.book_voucher(booked bigint, awaited boolean DEFAULT false) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, mpower, pg_temp AS $$
BEGIN
    PERFORM FROM mpower.accounts a WHERE a.account IN (
        SELECT l.account >> 4 << 4 FROM mpower.ledger_lines l WHERE l.voucher = booked AND l.account >= 0)
        ORDER BY a.account FOR UPDATE;
    INSERT INTO mpower.accounts AS a (account, balance_paise, owed_paise)
        SELECT m.account, m.paise, CASE WHEN m.account >= 0 AND m.account % 16 BETWEEN 7 AND 11 AND NOT awaited
            THEN m.paise ELSE 0 END
        FROM (SELECT l.account, sum(l.amount_paise)::bigint AS paise FROM mpower.ledger_lines l WHERE l.voucher = booked
            GROUP BY l.account) m ORDER BY m.account < 0, abs(m.account)
        ON CONFLICT (account) DO UPDATE SET balance_paise = a.balance_paise + excluded.balance_paise,
            owed_paise = a.owed_paise + excluded.owed_paise;
    UPDATE mpower.accounts a SET owed_paise = a.owed_paise + t.owed, bound_paise = a.bound_paise + t.bound
        FROM (SELECT l.account >> 4 << 4 AS account, sum(l.amount_paise)::bigint AS owed,
                coalesce(sum(l.amount_paise) FILTER (WHERE l.account % 16 BETWEEN 7 AND 11 AND NOT awaited), 0)::bigint
                AS bound
            FROM mpower.ledger_lines l WHERE l.voucher = booked AND l.account >= 0 AND l.account % 16 > 0 GROUP BY 1) t
        WHERE a.account = t.account;
END
$$;

-- Receipts with all that their verification needs: who took them, what for, the order of that day, what stands under the
-- consumer's heads. Money in suspense has no consumer and is not among them.
CREATE FUNCTION mpower.to_verify(receipts bigint[]) RETURNS TABLE (place integer, receipt bigint, number text, day date,
    state text, person text, consumer bigint, amount_paise bigint, purpose text, allocation text, slots integer[],
    balances bigint[], owners text[])
LANGUAGE sql STABLE SET search_path = pg_catalog, mpower, pg_temp AS $$
    WITH asked AS MATERIALIZED (
        SELECT g.i, r.* FROM generate_series(1, cardinality(receipts)) g (i)
            JOIN mpower.requests r ON r.receipt = receipts[g.i] AND r.consumer IS NOT NULL
    ), rules AS MATERIALIZED (
        SELECT d.day, (mpower.payment_rule(d.day)).allocation FROM (SELECT DISTINCT a.day FROM asked a) d
    )
    SELECT r.i, r.receipt, mpower.receipt_text(r.counter, r.receipt), r.day, coalesce(e.state, 'TAKEN'),
        coalesce(u.person, ''), r.consumer, r.amount_paise, r.purpose, rules.allocation, h.slots, h.balances,
        ARRAY(SELECT o.person FROM mpower.own_accounts o WHERE o.consumer = r.consumer AND o.ended_at IS NULL)
    FROM asked r JOIN rules ON rules.day = r.day
    LEFT JOIN mpower.receipt_events e ON e.receipt = r.receipt AND e.step = 1
    LEFT JOIN mpower.users u ON u.user_id = r.user_id
    CROSS JOIN LATERAL (
        SELECT coalesce(array_agg((a.account % 16)::integer ORDER BY a.account), '{}') AS slots,
            coalesce(array_agg(a.balance_paise ORDER BY a.account), '{}') AS balances
        FROM mpower.accounts a WHERE a.account BETWEEN r.consumer * 16 + 1 AND r.consumer * 16 + 12) h
    ORDER BY r.i
$$;

-- Did the consumer pay this amount for this purpose on this day already? The fields of the question to the clerk, or null.
-- The list of the consumer's receipts is walked back; cancelled ones do not count.
CREATE FUNCTION mpower.paid_already(newest bigint, amount bigint, purpose text, on_day date) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, mpower, pg_temp AS $$
    WITH RECURSIVE walk AS (
        SELECT r.*, 1 AS step FROM mpower.requests r WHERE r.receipt = paid_already.newest AND r.day = on_day
        UNION ALL
        SELECT r.*, w.step + 1 FROM walk w JOIN mpower.requests r ON r.receipt = w.previous_receipt
        WHERE w.step < 20 AND r.day = on_day
    )
    SELECT json_build_object('consumer', lpad(w.consumer::text, 10, '0'), 'amount', w.amount_paise, 'counter', w.counter,
        'receipt', mpower.receipt_text(w.counter, w.receipt), 'at', to_char(w.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))
        ::text
    FROM walk w WHERE w.amount_paise = amount AND w.purpose = paid_already.purpose
        AND NOT EXISTS (SELECT FROM mpower.receipt_events e WHERE e.receipt = w.receipt AND e.state = 'CANCELLED')
    ORDER BY w.step LIMIT 1
$$;

-- An instrument is kept as one text, its parts in this order: number, date, bank, branch (the last three on paper only).
CREATE FUNCTION mpower.instrument_day(instrument text) RETURNS date LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT nullif(split_part(instrument, ' ', 2), '')::date
$$;

-- Until when a consumer may not pay by cheque, because one came back.
CREATE TABLE mpower.cheque_bars (
    consumer bigint NOT NULL CONSTRAINT cheque_bars_pk PRIMARY KEY
        CONSTRAINT cheque_bars_of REFERENCES mpower.consumers,
    until date NOT NULL
);
-- Every instrument that came back: why, what it cost, what the consumer was told.
CREATE TABLE mpower.dishonours (
    receipt bigint NOT NULL CONSTRAINT dishonours_pk PRIMARY KEY,
    consumer bigint NOT NULL CONSTRAINT dishonours_of REFERENCES mpower.consumers,
    day date NOT NULL,
    returned_on date NOT NULL,
    why text NOT NULL,
    charge_paise bigint NOT NULL CONSTRAINT dishonours_charge CHECK (charge_paise >= 0),
    surcharge_paise bigint NOT NULL CONSTRAINT dishonours_surcharge CHECK (surcharge_paise >= 0),
    barred_until date,
    notice text NOT NULL,
    by text NOT NULL,
    at timestamptz NOT NULL
);
CREATE INDEX dishonours_by_consumer ON mpower.dishonours (consumer, day);
SELECT mpower.keep('{cheque_bars}', false);
SELECT mpower.keep('{dishonours}', true);
GRANT SELECT ON mpower.cheque_bars, mpower.dishonours TO mpower_report;

-- The account in which what was collected under a head is held for the State; null: it is the board's.
CREATE FUNCTION mpower.held_for_state(slot integer) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE slot WHEN 5 THEN -5 WHEN 11 THEN -6 END::bigint
$$;

-- What an officer raised against a consumer, and moved between two: the words to the voucher.
CREATE TABLE mpower.charges (
    voucher bigint NOT NULL CONSTRAINT charges_pk PRIMARY KEY CONSTRAINT charges_voucher REFERENCES mpower.vouchers,
    consumer bigint NOT NULL CONSTRAINT charges_of REFERENCES mpower.consumers,
    slot smallint NOT NULL,
    paise bigint NOT NULL CONSTRAINT charges_positive CHECK (paise > 0),
    reference text NOT NULL,
    reason text NOT NULL,
    CONSTRAINT charges_once UNIQUE (consumer, slot, reference)
);
CREATE INDEX charges_by_consumer ON mpower.charges (consumer, voucher);
-- A charge that was raised by mistake: the voucher that reverses it.
CREATE TABLE mpower.withdrawals (
    voucher bigint NOT NULL CONSTRAINT withdrawals_pk PRIMARY KEY
        CONSTRAINT withdrawals_voucher REFERENCES mpower.vouchers,
    charge bigint NOT NULL CONSTRAINT withdrawals_once UNIQUE CONSTRAINT withdrawals_of REFERENCES mpower.charges,
    reason text NOT NULL
);
CREATE TABLE mpower.transfers (
    voucher bigint NOT NULL CONSTRAINT transfers_pk PRIMARY KEY CONSTRAINT transfers_voucher REFERENCES mpower.vouchers,
    kind text NOT NULL CONSTRAINT transfers_kind CHECK (kind IN ('MOVE', 'SENT_UP', 'MATCH', 'REFUND')),
    consumer bigint CONSTRAINT transfers_of REFERENCES mpower.consumers,
    to_consumer bigint CONSTRAINT transfers_to REFERENCES mpower.consumers,
    receipt bigint,
    paise bigint NOT NULL CONSTRAINT transfers_positive CHECK (paise > 0),
    reference text NOT NULL,
    reason text NOT NULL
);
CREATE UNIQUE INDEX transfers_receipt_once ON mpower.transfers (receipt) WHERE receipt IS NOT NULL;
CREATE INDEX transfers_by_receiver ON mpower.transfers (to_consumer) WHERE receipt IS NOT NULL;
-- A refund that the bank was told to pay, whole and once: the voucher that did it, and the line of the advice.
CREATE TABLE mpower.payouts (
    voucher bigint NOT NULL CONSTRAINT payouts_pk PRIMARY KEY CONSTRAINT payouts_voucher REFERENCES mpower.vouchers,
    refund bigint NOT NULL CONSTRAINT payouts_once UNIQUE CONSTRAINT payouts_of REFERENCES mpower.transfers,
    mode text NOT NULL CONSTRAINT payouts_mode CHECK (mode IN ('CHEQUE', 'TRANSFER')),
    reference text NOT NULL,
    reason text NOT NULL
);
SELECT mpower.keep('{charges, withdrawals, transfers, payouts}', true);
GRANT SELECT ON mpower.charges, mpower.withdrawals, mpower.transfers, mpower.payouts TO mpower_report;

-- Whose the money of a receipt is: the consumer to whom it was moved, or matched out of suspense, else the one who paid it.
-- Null: it lies in suspense. Whoever takes it away holds the receipt's row, so that this does not change meanwhile.
CREATE FUNCTION mpower.receipt_holder(wanted bigint) RETURNS bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT coalesce(t.to_consumer, r.consumer) FROM mpower.requests r LEFT JOIN mpower.transfers t ON t.receipt = r.receipt
        WHERE r.receipt = wanted
$$;

-- The heads under which a receipt's money stands. What was moved or matched stands where that voucher put it. A voucher that
-- verifies posts its receipts in order, each line by line: a receipt's lines are those of its consumer between what the
-- receipts before it summed to and what it sums to.
CREATE FUNCTION mpower.receipt_lines(wanted bigint) RETURNS TABLE (account bigint, paise bigint)
LANGUAGE sql STABLE SET search_path = pg_catalog, mpower, pg_temp AS $$
    WITH mine AS (
        SELECT r.consumer, r.amount_paise, e.voucher, (SELECT coalesce(sum(o.amount_paise), 0) FROM mpower.receipt_events x
                JOIN mpower.requests o USING (receipt)
                WHERE x.voucher = e.voucher AND o.consumer = r.consumer AND o.receipt < r.receipt) AS before
        FROM mpower.requests r JOIN mpower.receipt_events e ON e.receipt = r.receipt AND e.state = 'VERIFIED'
        WHERE r.receipt = wanted AND NOT EXISTS (SELECT FROM mpower.transfers t WHERE t.receipt = wanted)
    ), lines AS (
        SELECT e.credit, e.amount_paise, sum(e.amount_paise) OVER (ORDER BY e.line) AS upto
        FROM mine m JOIN mpower.entries e ON e.voucher = m.voucher AND e.debit = m.consumer * 16
    )
    SELECT l.credit, l.amount_paise FROM lines l, mine m WHERE l.upto > m.before AND l.upto <= m.before + m.amount_paise
    UNION ALL
    SELECT e.credit, sum(e.amount_paise)::bigint FROM mpower.transfers t JOIN mpower.entries e ON e.voucher = t.voucher
        WHERE t.receipt = wanted AND e.credit >> 4 = t.to_consumer AND e.credit >= 0 GROUP BY e.credit
$$;

-- A consumer's advance (negative: it is owed), and what of it came on paper that the bank has not credited: such a receipt may
-- still come back, so its money goes to nobody else before. `besides`: a receipt that leaves whole, with whatever it waits for.
CREATE FUNCTION mpower.advance_of(whom bigint, besides bigint, OUT paise bigint, OUT waits bigint, OUT receipts text)
LANGUAGE sql STABLE SET search_path = pg_catalog, mpower, pg_temp AS $$
    WITH RECURSIVE own AS (
        SELECT r.* FROM mpower.accounts a JOIN mpower.requests r ON r.receipt = a.last_receipt WHERE a.account = whom * 16
        UNION ALL
        SELECT r.* FROM own o JOIN mpower.requests r ON r.receipt = o.previous_receipt
    ), held AS (
        SELECT o.* FROM own o WHERE NOT EXISTS (SELECT FROM mpower.transfers t WHERE t.receipt = o.receipt)
        UNION ALL
        SELECT r.* FROM mpower.transfers t JOIN mpower.requests r USING (receipt) WHERE t.to_consumer = whom
    ), waiting AS (
        SELECT h.receipt, mpower.receipt_text(h.counter, h.receipt) AS number, l.paise
        FROM held h CROSS JOIN LATERAL mpower.receipt_lines(h.receipt) l
        WHERE h.mode IN ('CHEQUE', 'DD', 'POSTAL_ORDER') AND l.account = whom * 16 + 6 AND h.receipt IS DISTINCT FROM besides
            AND NOT EXISTS (SELECT FROM mpower.receipt_events e WHERE e.receipt = h.receipt AND e.step >= 3)
    )
    SELECT coalesce((SELECT -a.balance_paise FROM mpower.accounts a WHERE a.account = whom * 16 + 6), 0),
        coalesce(sum(w.paise), 0)::bigint,
        coalesce((array_agg(w.number ORDER BY w.receipt))[1] || CASE WHEN count(*) > 1 THEN ' and ' || count(*) - 1 || ' more'
            ELSE '' END, '')
    FROM waiting w
$$;

-- Hold accounts for a transaction, in the one order of all: consumers, then the board's and the counters' own.
CREATE FUNCTION mpower.hold_accounts(wanted bigint[]) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, mpower, pg_temp AS $$
BEGIN
    PERFORM FROM mpower.accounts a WHERE a.account = ANY (wanted) ORDER BY a.account < 0, abs(a.account) FOR UPDATE;
END
$$;
