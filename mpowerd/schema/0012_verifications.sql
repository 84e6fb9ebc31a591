-- The verification of a whole day: what an officer asked for, receipt by receipt, and how far it is. It is carried on in
-- steps, each one transaction that posts some receipts and notes so: whoever goes on after an end finds the first receipt
-- without an outcome.

SET LOCAL ROLE mpower_owner;

CREATE TABLE mpower.verifications (
    verification bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT verifications_pk PRIMARY KEY,
    at timestamptz NOT NULL,
    by text COLLATE "C" NOT NULL,
    person text COLLATE "C" NOT NULL,
    day date NOT NULL,
    counter text COLLATE "C" NOT NULL,
    receipts integer NOT NULL,
    done integer NOT NULL DEFAULT 0,
    posted integer NOT NULL DEFAULT 0,
    posted_paise bigint NOT NULL DEFAULT 0,
    state text NOT NULL DEFAULT 'OPEN' CONSTRAINT verifications_state CHECK (state IN ('OPEN', 'DONE', 'STOPPED')),
    why text NOT NULL DEFAULT '',
    CONSTRAINT verifications_fit CHECK (posted <= done AND done <= receipts AND (state <> 'DONE' OR done = receipts))
);
COMMENT ON COLUMN mpower.verifications.counter IS 'one counter''s receipts; '''' those of every counter and bank';
CREATE INDEX verifications_open ON mpower.verifications (verification) WHERE state = 'OPEN';

CREATE TABLE mpower.verification_items (
    verification bigint NOT NULL CONSTRAINT verification_items_of REFERENCES mpower.verifications,
    place integer NOT NULL,
    receipt bigint NOT NULL,
    outcome text,
    reason text NOT NULL DEFAULT '',
    CONSTRAINT verification_items_pk PRIMARY KEY (verification, place)
);
COMMENT ON COLUMN mpower.verification_items.outcome IS 'VERIFIED, or the code of the refusal, or FAILED with its reason: it breaks an assertion of ours; none yet: null';
CREATE INDEX verification_items_failed ON mpower.verification_items (receipt) WHERE outcome = 'FAILED';

CREATE TABLE mpower.verification_steps (
    verification bigint NOT NULL CONSTRAINT verification_steps_of REFERENCES mpower.verifications,
    first_place integer NOT NULL,
    places integer NOT NULL,
    at timestamptz NOT NULL,
    term bigint NOT NULL,
    voucher bigint CONSTRAINT verification_steps_voucher REFERENCES mpower.vouchers,
    CONSTRAINT verification_steps_once PRIMARY KEY (verification, first_place)
);

SELECT mpower.keep('{verifications, verification_items}', false);
SELECT mpower.keep('{verification_steps}', true);
GRANT SELECT ON mpower.verifications, mpower.verification_items, mpower.verification_steps TO mpower_report;
