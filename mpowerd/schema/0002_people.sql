-- Offices, persons and their powers, logins and sessions, counters, the business days, the consumers.

SET LOCAL ROLE mpower_owner;

-- Statement trigger of everything that is only ever added to. It binds the owner as well.
CREATE FUNCTION mpower.refuse_change() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, mpower, pg_temp AS $$
BEGIN
    RAISE EXCEPTION '% of %.% is refused: what stands there is evidence', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END
$$;

-- Tables whose rows are never taken away, and, where `unchanged`, never changed: evidence.
CREATE FUNCTION mpower.keep(tables text[], unchanged boolean) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, mpower, pg_temp AS $$
DECLARE
    kept text;
BEGIN
    FOREACH kept IN ARRAY tables LOOP
        EXECUTE format('CREATE TRIGGER %I BEFORE %s DELETE OR TRUNCATE ON mpower.%I FOR EACH STATEMENT '
            'EXECUTE FUNCTION mpower.refuse_change()', kept || '_stay', CASE WHEN unchanged THEN 'UPDATE OR' END, kept);
        EXECUTE format('ALTER TABLE mpower.%I ENABLE ALWAYS TRIGGER %I', kept, kept || '_stay');
    END LOOP;
END
$$;

-- The tree of offices; the board itself stands at its root. An office is known by its code and is never removed.
CREATE TABLE mpower.offices (
    office text COLLATE "C" NOT NULL CONSTRAINT offices_pk PRIMARY KEY
        CONSTRAINT offices_code CHECK (office ~ '^[A-Z][A-Z0-9-]{0,15}$'),
    name text NOT NULL,
    kind text NOT NULL
        CONSTRAINT offices_kind CHECK (kind IN ('BOARD', 'ZONE', 'CIRCLE', 'DIVISION', 'SUBDIVISION')),
    parent text COLLATE "C" CONSTRAINT offices_parent REFERENCES mpower.offices,
    CONSTRAINT offices_one_root CHECK ((parent IS NULL) = (kind = 'BOARD'))
);
CREATE UNIQUE INDEX offices_one_board ON mpower.offices ((true)) WHERE parent IS NULL;
INSERT INTO mpower.offices VALUES ('HO', 'Head office', 'BOARD', NULL);

-- The human behind the logins, by staff number: rules bind the person, not the name a person signs in with.
CREATE TABLE mpower.persons (
    person text COLLATE "C" NOT NULL CONSTRAINT persons_pk PRIMARY KEY
        CONSTRAINT persons_staff_number CHECK (person ~ '^[A-Z][A-Z0-9-]{0,15}$'),
    name text NOT NULL,
    designation text NOT NULL,
    office text COLLATE "C" NOT NULL CONSTRAINT persons_office REFERENCES mpower.offices
);

-- What a person may decide: up to a value (paise or watts; NULL: without limit), in an office and below it, from a day to
-- a day. A power is only ever withdrawn: what somebody held on a day can be told for ever.
CREATE TABLE mpower.powers (
    power_id integer GENERATED ALWAYS AS IDENTITY CONSTRAINT powers_pk PRIMARY KEY,
    person text COLLATE "C" NOT NULL CONSTRAINT powers_of_person REFERENCES mpower.persons,
    power text NOT NULL,
    most bigint CONSTRAINT powers_most CHECK (most > 0),
    office text COLLATE "C" NOT NULL CONSTRAINT powers_office REFERENCES mpower.offices,
    valid_from date NOT NULL,
    valid_to date CONSTRAINT powers_to CHECK (valid_to >= valid_from),
    ends_at timestamptz,
    granted_at timestamptz NOT NULL,
    withdrawn_at timestamptz,
    given_by text[] COLLATE "C",
    reviewed_at timestamptz,
    reviewed_by text COLLATE "C",
    review text,
    CONSTRAINT powers_emergency CHECK ((ends_at IS NULL) = (given_by IS NULL)),
    CONSTRAINT powers_reviewed CHECK ((reviewed_at IS NULL) = (reviewed_by IS NULL) AND (reviewed_at IS NULL) = (review IS NULL)),
    CONSTRAINT powers_reviewed_by_another CHECK (reviewed_by <> ALL (given_by || person))
);
COMMENT ON COLUMN mpower.powers.ends_at IS 'of an emergency power, which ends by the hour; null: by the day or never';
COMMENT ON COLUMN mpower.powers.given_by IS 'of an emergency power: who asked for it and who approved it; neither reviews it';
CREATE INDEX powers_unreviewed ON mpower.powers (ends_at) WHERE ends_at IS NOT NULL AND reviewed_at IS NULL;
CREATE INDEX powers_held ON mpower.powers (person, power) WHERE withdrawn_at IS NULL;

-- Somebody's powers lent to a colleague for a time. What was lent cannot be lent on.
CREATE TABLE mpower.delegations (
    delegation_id integer GENERATED ALWAYS AS IDENTITY CONSTRAINT delegations_pk PRIMARY KEY,
    of_person text COLLATE "C" NOT NULL CONSTRAINT delegations_of REFERENCES mpower.persons,
    to_person text COLLATE "C" NOT NULL CONSTRAINT delegations_to REFERENCES mpower.persons,
    power text NOT NULL,
    valid_from timestamptz NOT NULL,
    valid_to timestamptz NOT NULL,
    reason text NOT NULL,
    ended_at timestamptz,
    CONSTRAINT delegations_two CHECK (of_person <> to_person),
    CONSTRAINT delegations_time CHECK (valid_to > valid_from)
);
CREATE INDEX delegations_held ON mpower.delegations (to_person, power) WHERE ended_at IS NULL;

CREATE TABLE mpower.counters (
    counter_id integer GENERATED ALWAYS AS IDENTITY CONSTRAINT counters_pk PRIMARY KEY
        CONSTRAINT counters_id_fits CHECK (counter_id BETWEEN 1 AND 8388607),
    code text COLLATE "C" NOT NULL CONSTRAINT counters_code_once UNIQUE,
    office text COLLATE "C" NOT NULL CONSTRAINT counters_office REFERENCES mpower.offices,
    kind text NOT NULL CONSTRAINT counters_kind CHECK (kind IN ('COUNTER', 'BANK', 'PAPER')),
    closed boolean NOT NULL DEFAULT false
);

CREATE TABLE mpower.users (
    user_id integer GENERATED ALWAYS AS IDENTITY CONSTRAINT users_pk PRIMARY KEY,
    name text COLLATE "C" NOT NULL CONSTRAINT users_name_once UNIQUE,
    person text COLLATE "C" NOT NULL CONSTRAINT users_of_person REFERENCES mpower.persons,
    role text NOT NULL CONSTRAINT users_role
        CHECK (role IN ('clerk', 'receiver', 'officer', 'auditor', 'ops', 'admin')),
    password_hash text NOT NULL CONSTRAINT users_hash_is_argon2id CHECK (password_hash LIKE '$argon2id$%'),
    created_at timestamptz NOT NULL,
    disabled_at timestamptz,
    disabled_why text,
    reset_until timestamptz
);

CREATE TABLE mpower.sessions (
    token bytea NOT NULL CONSTRAINT sessions_pk PRIMARY KEY
        CONSTRAINT sessions_token_is_sha256 CHECK (octet_length(token) = 32),
    user_id integer NOT NULL CONSTRAINT sessions_of_user REFERENCES mpower.users,
    name text NOT NULL,
    role text NOT NULL,
    subject text NOT NULL,
    address text NOT NULL,
    opened_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    ended_at timestamptz,
    ended_why text CONSTRAINT sessions_ended_why CHECK (ended_why IN ('SIGNED_OUT', 'DISABLED', 'REPLACED', 'IDLE', 'EXPIRED',
        'ROLE', 'AGAIN'))
);
CREATE INDEX sessions_live ON mpower.sessions (user_id) WHERE ended_at IS NULL;

CREATE TABLE mpower.days (
    day date NOT NULL CONSTRAINT days_pk PRIMARY KEY,
    financial_year smallint NOT NULL,
    opened_at timestamptz NOT NULL,
    opened_by text NOT NULL,
    closed_at timestamptz,
    closed_by text,
    CONSTRAINT days_year CHECK (financial_year = extract(year FROM day - interval '3 months')),
    CONSTRAINT days_year_fits CHECK (financial_year BETWEEN 2000 AND 2255) -- the eight bits of a receipt's number
);
CREATE UNIQUE INDEX days_one_open ON mpower.days ((true)) WHERE closed_at IS NULL;

-- A consumer number is ten digits; as a bigint it is also the key of the consumer's accounts, so that no look-up stands
-- between a payment and the account it credits.
CREATE TABLE mpower.consumers (
    consumer bigint NOT NULL CONSTRAINT consumers_pk PRIMARY KEY
        CONSTRAINT consumers_ten_digits CHECK (consumer BETWEEN 0 AND 9999999999),
    name text NOT NULL,
    address text NOT NULL,
    category text NOT NULL,
    meter text COLLATE "C" NOT NULL,
    mobile text COLLATE "C" NOT NULL,
    sanctioned_load_w bigint NOT NULL,
    office text COLLATE "C" NOT NULL CONSTRAINT consumers_office REFERENCES mpower.offices,
    loaded_as bytea NOT NULL
);
COMMENT ON COLUMN mpower.consumers.office IS 'whose matter the consumer is; money is taken at any counter';
COMMENT ON COLUMN mpower.consumers.loaded_as IS 'SHA-256 of the row as it was loaded: the same row again is no change';
CREATE INDEX consumers_by_name ON mpower.consumers ((lower(name) COLLATE "C"));
CREATE INDEX consumers_by_office ON mpower.consumers (office);
CREATE INDEX consumers_by_meter ON mpower.consumers (meter) WHERE meter <> '';
CREATE INDEX consumers_by_mobile ON mpower.consumers (mobile) WHERE mobile <> '';

-- Whose account is a person's own, or their household's: that person decides nothing about it.
CREATE TABLE mpower.own_accounts (
    person text COLLATE "C" NOT NULL CONSTRAINT own_accounts_of REFERENCES mpower.persons,
    consumer bigint NOT NULL CONSTRAINT own_accounts_consumer REFERENCES mpower.consumers,
    since timestamptz NOT NULL,
    ended_at timestamptz
);
CREATE UNIQUE INDEX own_accounts_once ON mpower.own_accounts (consumer, person) WHERE ended_at IS NULL;

SELECT mpower.keep('{offices, persons, powers, delegations, counters, users, days, consumers, own_accounts}', false);

GRANT SELECT ON mpower.offices, mpower.persons, mpower.powers, mpower.delegations, mpower.counters, mpower.days,
    mpower.consumers, mpower.own_accounts TO mpower_report;
GRANT SELECT (user_id, name, person, role, created_at, disabled_at, disabled_why, reset_until) ON mpower.users TO mpower_report;
