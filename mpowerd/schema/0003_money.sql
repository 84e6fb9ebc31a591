-- The ledger, the keys with their outcomes (a receipt is one), the life of receipts, the bank's scrolls.
--
-- Accounts are numbers, so that a payment finds them without a look-up:
--   consumer number * 16 + slot   0 RECEIVED (awaiting verification) · 1 LPSC · 2 ARREARS · 3 CURRENT · 4 FIXED
--                                 5 DUTY · 6 ADVANCE · 7 INSTALMENT · 8 DEMAND_NOTE · 9 SUNDRY · 10 THEFT
--                                 11 COMPOUNDING · 12 CHEQUE_CHARGE
--   -(counter_id * 16 + slot)     1 CASH · 2 CHEQUE · 3 DD · 4 CARD · 5 UPI · 6 TRANSFER · 7 POSTAL ORDERS in hand
--                                 8 remitted, in transit · 9 cash in the strong room · 10 the float that is out
--                                 15 SUSPENSE of a bank
--   -1                            opening balances
--   -2                            the board's bank account: realised
--   -3                            funds on their way between offices
--   -4                            cash short (positive) or in excess (negative)
--   -5, -6                        electricity duty, compounding fees collected and held for the State
--   -7                            charges and surcharge earned
--   -8                            refunds payable
--   -9                            general suspense
--   -10                           charged for the State (duty, compounding) and not yet collected: what consumers owe under
--                                 5 and 11, with the other sign
-- A balance is Σ debits − Σ credits, in paise: a consumer's head is positive when it is owed, RECEIVED and ADVANCE are
-- negative when the board holds money.

SET LOCAL ROLE mpower_owner;

CREATE TABLE mpower.accounts (
    account bigint NOT NULL CONSTRAINT accounts_pk PRIMARY KEY,
    balance_paise bigint NOT NULL DEFAULT 0,
    owed_paise bigint NOT NULL DEFAULT 0,
    bound_paise bigint NOT NULL DEFAULT 0,
    last_receipt bigint NOT NULL DEFAULT 0,
    last_day date
) WITH (fillfactor = 70);
COMMENT ON COLUMN mpower.accounts.owed_paise IS
    'on a consumer''s RECEIVED account: Σ of the other heads; on a head that is paid under its own purpose (7 to 11): what is
payable there, its balance less what was received for it and awaits verification';
COMMENT ON COLUMN mpower.accounts.bound_paise IS
    'on a consumer''s RECEIVED account: Σ owed_paise of 7 to 11, so that balance + owed - bound is what is payable as dues';
COMMENT ON COLUMN mpower.accounts.last_day IS
    'on a consumer''s RECEIVED account: business date of last_receipt; a second payment that day may be the same one again';
COMMENT ON COLUMN mpower.accounts.last_receipt IS
    'on a consumer''s RECEIVED account: head of the list that requests.previous_receipt links; 0 none';
INSERT INTO mpower.accounts (account) VALUES (-1), (-2), (-3), (-4), (-5), (-6), (-7), (-8), (-9), (-10);

-- A receipt number as one bigint: counter_id, financial year, running number. The year has eight bits: outside of them
-- there is no number (null, which no table takes), rather than another counter's.
CREATE FUNCTION mpower.receipt_id(counter_id integer, financial_year smallint, number integer) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN financial_year BETWEEN 2000 AND 2255 THEN
        (counter_id::bigint << 38) | ((financial_year - 2000)::bigint << 30) | number END
$$;

CREATE TABLE mpower.series (
    counter_id integer NOT NULL CONSTRAINT series_of_counter REFERENCES mpower.counters,
    financial_year smallint NOT NULL CONSTRAINT series_year_fits CHECK (financial_year BETWEEN 2000 AND 2255),
    last_number integer NOT NULL DEFAULT 0 CONSTRAINT series_number_fits CHECK (last_number BETWEEN 0 AND 999999999),
    shift integer,
    clerk integer,
    limit_paise bigint,
    CONSTRAINT series_pk PRIMARY KEY (counter_id, financial_year),
    CONSTRAINT series_lent_whole CHECK ((shift IS NULL) = (clerk IS NULL) AND (shift IS NOT NULL OR limit_paise IS NULL))
) WITH (fillfactor = 50);
COMMENT ON COLUMN mpower.series.shift IS 'the open shift that gives these numbers out, to its clerk (users.user_id); null: none';
COMMENT ON COLUMN mpower.series.limit_paise IS 'the most cash that shift''s till may hold; null: without limit';

-- An entry moves an amount from one account to another: a set of entries cannot but sum to zero.
-- voucher: a receipt's id, or a number below 2^38 of mpower.vouchers.
CREATE TABLE mpower.entries (
    voucher bigint NOT NULL,
    debit bigint NOT NULL,
    credit bigint NOT NULL,
    amount_paise bigint NOT NULL CONSTRAINT entries_amount_positive CHECK (amount_paise > 0),
    line integer NOT NULL,
    CONSTRAINT entries_pk PRIMARY KEY (voucher, line),
    CONSTRAINT entries_two_sides CHECK (debit <> credit)
);
-- What touched an account besides its receipts: those are found along the consumer's list, so that an index on entries
-- costs a taking nothing.
CREATE INDEX entries_of_debit ON mpower.entries (debit, voucher) WHERE voucher < 274877906944;
CREATE INDEX entries_of_credit ON mpower.entries (credit, voucher) WHERE voucher < 274877906944;
CREATE VIEW mpower.ledger_lines AS
    SELECT voucher, line, debit AS account, amount_paise FROM mpower.entries
    UNION ALL
    SELECT voucher, line, credit, -amount_paise FROM mpower.entries;

CREATE TABLE mpower.vouchers (
    voucher bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT vouchers_pk PRIMARY KEY,
    kind text NOT NULL CONSTRAINT vouchers_kind CHECK (kind IN ('OPENING', 'CANCEL', 'VERIFY',
        'FLOAT', 'PICK_UP', 'CLOSING', 'REMIT', 'REALISE', 'CHARGE', 'DISHONOUR', 'RE_DEBIT', 'MOVE', 'SENT_UP', 'MATCH',
        'REFUND', 'WITHDRAWAL', 'PAID_OUT')),
    day date NOT NULL,
    value_day date,
    at timestamptz NOT NULL,
    by text NOT NULL
);
COMMENT ON COLUMN mpower.vouchers.value_day IS 'the date from which it counts (surcharge, ageing); null: its business date';

-- Every voucher is sealed in the audit entry of the transaction that made it, with its entries and with what it made of
-- receipts (event_line): whoever amends one of them, or takes it away,
-- leaves a seal that does not fit, and the audit's chain holds the seal. Noted here, written by mpower.with_vouchers.
CREATE FUNCTION mpower.note_voucher() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, mpower, pg_temp AS $$
BEGIN
    PERFORM set_config('mpower.vouchers', concat_ws(' ', nullif(current_setting('mpower.vouchers', true), ''), NEW.voucher),
        true);
    RETURN NULL;
END
$$;
CREATE TRIGGER vouchers_noted AFTER INSERT ON mpower.vouchers FOR EACH ROW EXECUTE FUNCTION mpower.note_voucher();
CREATE FUNCTION mpower.voucher_seal(v mpower.vouchers, lines bytea, events bytea) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT encode(sha256(convert_to(concat_ws(' ', v.voucher, v.kind, v.day - '2000-01-01'::date,
        coalesce(v.value_day - '2000-01-01'::date, -1), v.by), 'UTF8') || coalesce(lines, '') || coalesce(events, '')), 'hex')
$$;
CREATE FUNCTION mpower.entry_line(e mpower.entries) RETURNS bytea LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT int8send(e.debit) || int8send(e.credit) || int8send(e.amount_paise)
$$;

-- Every key ever used, with its one outcome for ever: a receipt, a refusal, or another operation's reply.
-- sequence 0 (never on the wire) keys a bank's line by the hash of its reference.
CREATE TABLE mpower.requests (
    counter text COLLATE "C" NOT NULL,
    client uuid NOT NULL,
    sequence bigint NOT NULL,
    at timestamptz NOT NULL,
    link bigint NOT NULL,
    receipt bigint,
    previous_receipt bigint,
    consumer bigint,
    amount_paise bigint,
    day date,
    user_id integer,
    position smallint NOT NULL,
    fingerprint bytea NOT NULL,
    operation text NOT NULL,
    actor text NOT NULL,
    address text NOT NULL,
    mode text,
    instrument text,
    purpose text,
    name text,
    refusal text,
    refusal_fields text,
    reply bytea,
    CONSTRAINT requests_pk PRIMARY KEY (counter, client, sequence),
    CONSTRAINT requests_one_outcome CHECK (num_nonnulls(receipt, refusal, reply) = 1),
    CONSTRAINT requests_amount_positive CHECK (receipt IS NULL OR amount_paise > 0)
);
CREATE UNIQUE INDEX requests_receipt_once ON mpower.requests (receipt) WHERE receipt IS NOT NULL;
CREATE INDEX requests_in_suspense ON mpower.requests (receipt) WHERE receipt IS NOT NULL AND consumer IS NULL;
-- Rows come in the order of days: a few pages of summary find those after a date.
CREATE INDEX requests_of_day ON mpower.requests USING brin (day);

-- What became of a receipt after it was TAKEN: a chain of events. The step makes CANCELLED and VERIFIED exclude each other;
-- each later event names the one it follows, which exists and is followed once. POSTED is VERIFIED: one transaction.
CREATE TABLE mpower.receipt_events (
    receipt bigint NOT NULL,
    step smallint NOT NULL,
    state text NOT NULL,
    after text,
    voucher bigint NOT NULL CONSTRAINT receipt_events_voucher REFERENCES mpower.vouchers,
    day date NOT NULL,
    at timestamptz NOT NULL,
    by text NOT NULL,
    reason text NOT NULL,
    CONSTRAINT receipt_events_once PRIMARY KEY (receipt, step),
    CONSTRAINT receipt_events_state_once UNIQUE (receipt, state),
    CONSTRAINT receipt_events_follows FOREIGN KEY (receipt, after) REFERENCES mpower.receipt_events (receipt, state),
    CONSTRAINT receipt_events_life CHECK (CASE WHEN after IS NULL THEN (state, step) IN (('CANCELLED', 1), ('VERIFIED', 1))
        ELSE (after, state, step) IN (('VERIFIED', 'REMITTED', 2), ('REMITTED', 'REALISED', 3),
            ('VERIFIED', 'DISHONOURED', 4), ('REMITTED', 'DISHONOURED', 4), ('REALISED', 'DISHONOURED', 4),
            ('DISHONOURED', 'RE_DEBITED', 5)) END)
);
-- What of an event its voucher's seal covers: all of it.
CREATE FUNCTION mpower.event_line(e mpower.receipt_events) RETURNS bytea LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT record_send(ROW(e.receipt, e.step, e.state, e.after, e.day, e.at, e.by, e.reason))
$$;
CREATE UNIQUE INDEX receipt_events_one_next ON mpower.receipt_events (receipt, after) WHERE after IS NOT NULL;

CREATE TABLE mpower.scrolls (
    counter_id integer NOT NULL CONSTRAINT scrolls_of_bank REFERENCES mpower.counters,
    scroll text COLLATE "C" NOT NULL,
    part integer NOT NULL,
    fingerprint bytea NOT NULL,
    day date NOT NULL,
    reply bytea NOT NULL,
    CONSTRAINT scrolls_once PRIMARY KEY (counter_id, scroll, part)
);
CREATE TABLE mpower.scroll_lines (
    counter_id integer NOT NULL,
    reference text COLLATE "C" NOT NULL,
    scroll text COLLATE "C" NOT NULL,
    part integer NOT NULL,
    line integer NOT NULL,
    consumer text NOT NULL,
    value_date date NOT NULL,
    receipt bigint NOT NULL,
    CONSTRAINT scroll_lines_reference_once PRIMARY KEY (counter_id, reference)
);

SELECT mpower.keep('{entries, vouchers, requests, receipt_events, scrolls, scroll_lines}', true);
SELECT mpower.keep('{accounts, series}', false);

GRANT SELECT ON mpower.accounts, mpower.series, mpower.entries, mpower.ledger_lines, mpower.vouchers, mpower.requests,
    mpower.receipt_events, mpower.scrolls, mpower.scroll_lines TO mpower_report;
