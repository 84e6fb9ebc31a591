-- Shifts: a clerk's custody of a counter's money for a part of a business day. A counter has one open shift at most, and
-- nothing is taken there outside of one. Numbers of a series rise without a gap, so a shift is a span of them: the receipts
-- after first_number up to last_number are its receipts; no receipt carries its shift. Which shift is open stands on the
-- counter's series, the row that every taking changes: a taking and a closing wait for each other there.
--
-- Accounts of a counter that belong here: 1 cash in the till · 9 cash in the strong room, not yet remitted · 10 the float
-- that is out (negative while a shift holds it, zero otherwise). A closed shift leaves 1 and 10 at zero.

SET LOCAL ROLE mpower_owner;

CREATE TABLE mpower.shifts (
    shift integer GENERATED ALWAYS AS IDENTITY CONSTRAINT shifts_pk PRIMARY KEY,
    counter_id integer NOT NULL CONSTRAINT shifts_at_counter REFERENCES mpower.counters,
    day date NOT NULL CONSTRAINT shifts_of_day REFERENCES mpower.days,
    financial_year smallint NOT NULL,
    user_id integer NOT NULL CONSTRAINT shifts_of_clerk REFERENCES mpower.users,
    opened_at timestamptz NOT NULL,
    first_number integer NOT NULL,
    float_cash text NOT NULL,
    float_paise bigint NOT NULL CONSTRAINT shifts_float CHECK (float_paise >= 0),
    carried_paise bigint NOT NULL,
    after_shift integer CONSTRAINT shifts_after REFERENCES mpower.shifts,
    closed_at timestamptz,
    closed_by text,
    last_number integer,
    counted_cash text,
    counted_paise bigint,
    expected_paise bigint,
    handed_paise bigint,
    reason text,
    pending boolean NOT NULL DEFAULT true,
    CONSTRAINT shifts_closed_whole CHECK (num_nulls(closed_at, closed_by, last_number, counted_cash, counted_paise,
        expected_paise, handed_paise, reason) IN (0, 8)),
    CONSTRAINT shifts_span UNIQUE (counter_id, financial_year, first_number, shift)
);
COMMENT ON COLUMN mpower.shifts.carried_paise IS 'cash beyond the float that the shift before handed over in the till';
COMMENT ON COLUMN mpower.shifts.handed_paise IS
    'what went from the till to the strong room at the closing; pick-ups went before; 0 where the till was handed over';
COMMENT ON COLUMN mpower.shifts.pending IS 'something of it has not gone to the bank';
CREATE INDEX shifts_pending ON mpower.shifts (counter_id) WHERE pending;
CREATE UNIQUE INDEX shifts_one_open ON mpower.shifts (counter_id) WHERE closed_at IS NULL;
CREATE UNIQUE INDEX shifts_taken_over_once ON mpower.shifts (after_shift) WHERE after_shift IS NOT NULL;
CREATE INDEX shifts_by_day ON mpower.shifts (day, counter_id);

-- Cash taken out of the till during a shift. It moves only when somebody else has witnessed it.
CREATE TABLE mpower.pick_ups (
    pick_up integer GENERATED ALWAYS AS IDENTITY CONSTRAINT pick_ups_pk PRIMARY KEY,
    shift integer NOT NULL CONSTRAINT pick_ups_of_shift REFERENCES mpower.shifts,
    at timestamptz NOT NULL,
    cash text NOT NULL,
    paise bigint NOT NULL CONSTRAINT pick_ups_positive CHECK (paise > 0),
    dropped boolean NOT NULL DEFAULT false,
    witness text,
    witnessed_at timestamptz,
    voucher bigint CONSTRAINT pick_ups_voucher REFERENCES mpower.vouchers,
    CONSTRAINT pick_ups_witnessed_whole CHECK (num_nulls(witness, witnessed_at, voucher) IN (0, 3)),
    CONSTRAINT pick_ups_one_end CHECK (NOT dropped OR voucher IS NULL)
);
CREATE INDEX pick_ups_by_shift ON mpower.pick_ups (shift, pick_up);

-- A till that its clerk has counted for a colleague, who has not counted it yet. The last offer of a shift counts.
CREATE TABLE mpower.hand_overs (
    hand_over integer GENERATED ALWAYS AS IDENTITY CONSTRAINT hand_overs_pk PRIMARY KEY,
    shift integer NOT NULL CONSTRAINT hand_overs_of_shift REFERENCES mpower.shifts,
    to_user integer NOT NULL CONSTRAINT hand_overs_to REFERENCES mpower.users,
    at timestamptz NOT NULL,
    last_number integer NOT NULL,
    cash text NOT NULL,
    counted_paise bigint NOT NULL,
    expected_paise bigint NOT NULL,
    reason text NOT NULL,
    gone integer NOT NULL
);
COMMENT ON COLUMN mpower.hand_overs.gone IS
    'receipts of the shift that had been cancelled or given back; one more, and what was counted is not there any more';
CREATE INDEX hand_overs_by_shift ON mpower.hand_overs (shift, hand_over);

-- The instruments on paper that were dishonoured while their shift was open: given back out of the till, so that they are
-- neither counted at its closing nor sent to the bank. The counter's series was held when that was said.
CREATE TABLE mpower.given_back (
    receipt bigint NOT NULL CONSTRAINT given_back_pk PRIMARY KEY
);

SELECT mpower.keep('{shifts, pick_ups}', false);
SELECT mpower.keep('{hand_overs, given_back}', true);
GRANT SELECT ON mpower.shifts, mpower.pick_ups, mpower.hand_overs, mpower.given_back TO mpower_report;

-- The receipts of a shift with what became of them there.
CREATE VIEW mpower.shift_receipts AS
    SELECT s.shift, r.receipt, mpower.receipt_text(r.counter, r.receipt) AS number, r.mode, r.instrument, r.amount_paise,
        EXISTS (SELECT FROM mpower.receipt_events e WHERE e.receipt = r.receipt AND e.state = 'CANCELLED') AS cancelled,
        EXISTS (SELECT FROM mpower.given_back g WHERE g.receipt = r.receipt) AS returned
    FROM mpower.shifts s JOIN mpower.requests r
        ON r.receipt > mpower.receipt_id(s.counter_id, s.financial_year, s.first_number)
        AND r.receipt <= mpower.receipt_id(s.counter_id, s.financial_year, coalesce(s.last_number, 999999999));

-- The shift in which a receipt was taken; none for a bank's.
CREATE FUNCTION mpower.shift_of(receipt bigint) RETURNS SETOF mpower.shifts LANGUAGE sql STABLE
SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT s.* FROM mpower.shifts s
        WHERE s.counter_id = (receipt >> 38)::integer AND s.financial_year = (2000 + ((receipt >> 30) & 255))::smallint
            AND s.first_number < (receipt & 1073741823)::integer
        ORDER BY s.first_number DESC, s.shift DESC LIMIT 1
$$;

-- One object of a master as it stood on a day; null: it did not.
CREATE FUNCTION mpower.master_on(which text, name text, day date) RETURNS json LANGUAGE sql STABLE
SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT m.content::json FROM mpower.masters m
        WHERE m.master = which AND m.key = name AND m.valid_from <= master_on.day
        ORDER BY m.valid_from DESC, m.at DESC LIMIT 1
$$;

-- What the board has set for a counter on a day: its own row of the master, else that of the nearest office above it.
CREATE FUNCTION mpower.till_rule(counter_id integer, day date) RETURNS json LANGUAGE sql STABLE
SET search_path = pg_catalog, mpower, pg_temp AS $$
    WITH RECURSIVE up (code, parent, height) AS (
        SELECT c.code, c.office, 0 FROM mpower.counters c WHERE c.counter_id = till_rule.counter_id
        UNION ALL
        SELECT o.office, o.parent, up.height + 1 FROM up JOIN mpower.offices o ON o.office = up.parent
    )
    SELECT s.rule FROM up CROSS JOIN mpower.master_on('tills', up.code, till_rule.day) s (rule)
        WHERE s.rule IS NOT NULL ORDER BY up.height LIMIT 1
$$;

-- The open shift of a counter, held until this transaction ends: nobody takes, closes or picks up there meanwhile.
CREATE FUNCTION mpower.hold_shift(counter_code text) RETURNS mpower.shifts LANGUAGE plpgsql
SET search_path = pg_catalog, mpower, pg_temp AS $$
DECLARE
    today record;
    at_counter mpower.counters;
    lent integer;
    held mpower.shifts;
BEGIN
    SELECT d.day, d.financial_year INTO today FROM mpower.open_day() d;
    SELECT * INTO at_counter FROM mpower.counters c WHERE c.code = counter_code AND c.kind = 'COUNTER';
    IF at_counter.counter_id IS NULL THEN
        PERFORM mpower.refuse('NO_COUNTER', json_build_object('counter', counter_code));
    END IF;
    SELECT s.shift INTO lent FROM mpower.series s
        WHERE s.counter_id = at_counter.counter_id AND s.financial_year = today.financial_year FOR UPDATE;
    IF lent IS NULL THEN
        PERFORM mpower.refuse('NO_SHIFT', json_build_object('counter', counter_code));
    END IF;
    SELECT * INTO held FROM mpower.shifts s WHERE s.shift = lent;
    RETURN held;
END
$$;

-- Move amounts between accounts as one voucher; lines without an amount are left out, a negative one goes the other way.
-- Nothing to move: no voucher.
CREATE FUNCTION mpower.post_voucher(kind text, day date, by text, debits bigint[], credits bigint[], paise bigint[],
    value_day date DEFAULT NULL) RETURNS bigint LANGUAGE plpgsql SET search_path = pg_catalog, mpower, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    voucher_number bigint;
BEGIN
    IF 0 = ALL (paise) THEN
        RETURN NULL;
    END IF;
    INSERT INTO mpower.vouchers (kind, day, value_day, at, by) VALUES (kind, day, value_day, now(), by)
        RETURNING voucher INTO voucher_number;
    INSERT INTO mpower.entries (voucher, line, debit, credit, amount_paise)
        SELECT voucher_number, g.i, CASE WHEN paise[g.i] > 0 THEN debits[g.i] ELSE credits[g.i] END,
            CASE WHEN paise[g.i] > 0 THEN credits[g.i] ELSE debits[g.i] END, abs(paise[g.i])
        FROM generate_series(1, cardinality(paise)) g (i) WHERE paise[g.i] <> 0;
    PERFORM mpower.book_voucher(voucher_number);
    RETURN voucher_number;
END
$$;

-- End a held shift as it was counted: what is short or in excess is booked. Then the float goes back and the rest to the
-- strong room, or, `carried`, all stays in the till for the next shift. A pick-up nobody witnessed is dropped: its cash lay
-- in the till and was counted there.
CREATE FUNCTION mpower.end_shift(
    which integer, by text, cash text, counted bigint, expected bigint, reason text, carried boolean
) RETURNS mpower.shifts LANGUAGE plpgsql SET search_path = pg_catalog, mpower, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    held mpower.shifts;
    till bigint;
BEGIN
    UPDATE mpower.pick_ups k SET dropped = true WHERE k.shift = which AND k.voucher IS NULL;
    UPDATE mpower.shifts s SET closed_at = now(), closed_by = by, counted_cash = cash, counted_paise = counted,
            expected_paise = expected, handed_paise = CASE WHEN carried THEN 0 ELSE counted - s.float_paise END,
            reason = reason, last_number = (SELECT z.last_number FROM mpower.series z WHERE z.shift = which)
        WHERE s.shift = which AND s.closed_at IS NULL RETURNING s.* INTO held;
    ASSERT held.shift IS NOT NULL, 'the shift was not held';
    UPDATE mpower.series z SET shift = NULL, clerk = NULL, limit_paise = NULL
        WHERE z.counter_id = held.counter_id AND z.financial_year = held.financial_year;
    till := -(held.counter_id::bigint * 16 + 1);
    PERFORM mpower.post_voucher('CLOSING', held.day, by, ARRAY[till, till - 9, till - 8], ARRAY[-4, till, till],
        ARRAY[counted - expected, CASE WHEN carried THEN 0 ELSE held.float_paise END, held.handed_paise]);
    RETURN held;
END
$$;

-- Begin a clerk's shift at a counter whose series is held: it gives numbers out to that clerk from now on.
CREATE FUNCTION mpower.begin_shift(
    counter integer, today date, year smallint, who integer, float_cash text, float_paise bigint, carried bigint,
    after integer
) RETURNS integer LANGUAGE plpgsql SET search_path = pg_catalog, mpower, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    opened integer;
BEGIN
    INSERT INTO mpower.shifts (counter_id, day, financial_year, user_id, opened_at, first_number, float_cash, float_paise,
            carried_paise, after_shift)
        SELECT counter, today, year, who, now(), z.last_number, float_cash, float_paise, carried, after
        FROM mpower.series z WHERE z.counter_id = counter AND z.financial_year = year RETURNING shift INTO opened;
    UPDATE mpower.series z SET shift = opened, clerk = who,
            limit_paise = (mpower.till_rule(counter, today) ->> 'cash_limit_paise')::bigint
        WHERE z.counter_id = counter AND z.financial_year = year;
    RETURN opened;
END
$$;
