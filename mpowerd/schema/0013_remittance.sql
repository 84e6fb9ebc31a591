-- Remittance: what lies in the strong room goes to the bank on slips, and is in transit until the bank has credited it.
--
-- A slip is of one office, one kind (the mode of its receipts) and, for cheques, one bank they are drawn on and one place.
-- Slips are numbered for each office and financial year without a gap. A cash slip is of whole shifts, because cash has no
-- names: what they handed in is what was taken in them, less what was short, and more what was in excess.
-- Accounts of a counter: 9 strong room, or 2 to 7 in hand, -> 8 in transit -> -2 the board's bank account.

SET LOCAL ROLE mpower_owner;

-- A cheque as it was read when the bundle was sorted: the bank it is drawn on and where. What was not sorted by hand stands
-- as it was taken: its bank and branch, and the city of that branch in the master.
CREATE TABLE mpower.sorted_instruments (
    receipt bigint NOT NULL CONSTRAINT sorted_instruments_pk PRIMARY KEY,
    bank text COLLATE "C" NOT NULL,
    city text NOT NULL,
    at timestamptz NOT NULL,
    by text NOT NULL
);

CREATE TABLE mpower.slip_series (
    office text COLLATE "C" NOT NULL CONSTRAINT slip_series_of_office REFERENCES mpower.offices,
    financial_year smallint NOT NULL,
    last_number integer NOT NULL,
    CONSTRAINT slip_series_pk PRIMARY KEY (office, financial_year)
);

CREATE TABLE mpower.slips (
    slip integer GENERATED ALWAYS AS IDENTITY CONSTRAINT slips_pk PRIMARY KEY,
    office text COLLATE "C" NOT NULL CONSTRAINT slips_of_office REFERENCES mpower.offices,
    financial_year smallint NOT NULL,
    number integer NOT NULL,
    kind text NOT NULL,
    bank text COLLATE "C" NOT NULL,
    place text NOT NULL,
    day date NOT NULL,
    at timestamptz NOT NULL,
    by text NOT NULL,
    cash text NOT NULL,
    total_paise bigint NOT NULL CONSTRAINT slips_positive CHECK (total_paise > 0),
    voucher bigint NOT NULL CONSTRAINT slips_voucher REFERENCES mpower.vouchers,
    CONSTRAINT slips_numbered_once UNIQUE (office, financial_year, number),
    CONSTRAINT slips_voucher_once UNIQUE (voucher)
);

-- Whose cash a slip carries: a shift's cash goes once.
CREATE TABLE mpower.slip_shifts (
    shift integer NOT NULL CONSTRAINT slip_shifts_once PRIMARY KEY CONSTRAINT slip_shifts_shift REFERENCES mpower.shifts,
    slip integer NOT NULL CONSTRAINT slip_shifts_slip REFERENCES mpower.slips
);
CREATE INDEX slip_shifts_by_slip ON mpower.slip_shifts (slip);

-- What the bank has credited of a slip.
CREATE TABLE mpower.realisations (
    realisation integer GENERATED ALWAYS AS IDENTITY CONSTRAINT realisations_pk PRIMARY KEY,
    slip integer NOT NULL CONSTRAINT realisations_of_slip REFERENCES mpower.slips,
    value_date date NOT NULL,
    reference text COLLATE "C" NOT NULL,
    paise bigint NOT NULL CONSTRAINT realisations_positive CHECK (paise > 0),
    voucher bigint NOT NULL CONSTRAINT realisations_voucher REFERENCES mpower.vouchers,
    at timestamptz NOT NULL,
    by text NOT NULL,
    CONSTRAINT realisations_reference_once UNIQUE (slip, reference)
);

SELECT mpower.keep('{sorted_instruments, slip_series}', false);
SELECT mpower.keep('{slips, slip_shifts, realisations}', true);
GRANT SELECT ON mpower.sorted_instruments, mpower.slips, mpower.slip_shifts, mpower.realisations TO mpower_report;

CREATE FUNCTION mpower.slip_text(s mpower.slips) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT s.office || '/' || s.financial_year || '-' || lpad(((s.financial_year + 1) % 100)::text, 2, '0') || '/' || s.number
$$;

-- The closed shifts whose cash has not gone to the bank; not one whose till was handed over into a shift that is open.
CREATE VIEW mpower.cash_to_remit AS
    WITH RECURSIVE still (shift) AS (
        SELECT s.shift FROM mpower.shifts s WHERE s.closed_at IS NULL
        UNION
        SELECT s.after_shift FROM still JOIN mpower.shifts s USING (shift) WHERE s.after_shift IS NOT NULL
    )
    SELECT s.shift, c.counter_id, c.office, c.code AS counter, s.day, s.handed_paise + coalesce((SELECT sum(k.paise)
        FROM mpower.pick_ups k WHERE k.shift = s.shift AND k.voucher IS NOT NULL), 0)::bigint AS paise
    FROM mpower.shifts s JOIN mpower.counters c USING (counter_id)
    WHERE s.pending AND s.closed_at IS NOT NULL AND s.shift NOT IN (SELECT still.shift FROM still)
        AND NOT EXISTS (SELECT FROM mpower.slip_shifts x WHERE x.shift = s.shift);

-- Local is what is drawn in the counter's own city, or anywhere where the board has set none.
CREATE FUNCTION mpower.cheque_place(counter_id integer, day date, city text) RETURNS text LANGUAGE sql STABLE
SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT CASE WHEN lower(city) = lower(coalesce(mpower.till_rule(counter_id, day) ->> 'city', city)) THEN 'LOCAL'
        ELSE 'OUTSTATION' END
$$;

-- The receipts of closed shifts that have not gone to the bank.
CREATE VIEW mpower.to_remit AS
    SELECT s.shift, s.day, c.counter_id, c.office, c.code AS counter, r.receipt, r.number, r.mode AS kind, r.instrument,
        r.amount_paise AS paise, coalesce(q.bank, '') AS bank, CASE WHEN r.mode <> 'CHEQUE' THEN ''
            WHEN q.city IS NULL OR q.bank = '' THEN 'UNSORTED' ELSE mpower.cheque_place(c.counter_id, s.day, q.city) END AS place,
        EXISTS (SELECT FROM mpower.receipt_events e WHERE e.receipt = r.receipt AND e.state = 'VERIFIED') AS verified
    FROM mpower.shifts s JOIN mpower.counters c USING (counter_id) JOIN mpower.shift_receipts r USING (shift)
    LEFT JOIN LATERAL (
        SELECT coalesce(i.bank, split_part(r.instrument, ' ', 3)) AS bank, coalesce(i.city, CASE b.branch ->> 'bank'
            WHEN split_part(r.instrument, ' ', 3) THEN b.branch ->> 'city' END) AS city
        FROM mpower.master_on('branches', split_part(r.instrument, ' ', 4), s.day) b (branch)
        LEFT JOIN mpower.sorted_instruments i ON i.receipt = r.receipt) q ON r.mode = 'CHEQUE'
    WHERE s.pending AND s.closed_at IS NOT NULL AND NOT r.cancelled
        AND NOT EXISTS (SELECT FROM mpower.receipt_events e WHERE e.receipt = r.receipt AND e.step >= 2);

-- A slip with what has come of it. `open_paise`: neither credited nor returned.
CREATE VIEW mpower.slips_now AS
    SELECT s.*, mpower.slip_text(s) AS text, coalesce(x.paise, 0)::bigint AS realised_paise,
        CASE s.kind WHEN 'CASH' THEN s.total_paise - coalesce(x.paise, 0)::bigint ELSE coalesce((
            SELECT sum(r.amount_paise) FROM mpower.receipt_events e JOIN mpower.requests r USING (receipt)
            WHERE e.voucher = s.voucher AND NOT EXISTS (SELECT FROM mpower.receipt_events z WHERE z.receipt = e.receipt
                AND z.step >= 3)), 0)::bigint END AS open_paise
    FROM mpower.slips s LEFT JOIN (SELECT z.slip, sum(z.paise) AS paise FROM mpower.realisations z GROUP BY z.slip) x
        USING (slip);
CREATE INDEX receipt_events_by_voucher ON mpower.receipt_events (voucher);
