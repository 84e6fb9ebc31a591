-- Counters, people, their sessions, the business days, the consumers.

SET LOCAL ROLE mpower_owner;

-- Statement trigger of everything that is only ever added to. It binds the owner as well.
CREATE FUNCTION mpower.refuse_change() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, mpower, pg_temp AS $$
BEGIN
    RAISE EXCEPTION '% of %.% is refused: what stands there is evidence', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TABLE mpower.counters (
    counter_id integer GENERATED ALWAYS AS IDENTITY CONSTRAINT counters_pk PRIMARY KEY
        CONSTRAINT counters_id_fits CHECK (counter_id BETWEEN 1 AND 8388607),
    code text COLLATE "C" NOT NULL CONSTRAINT counters_code_once UNIQUE,
    office text NOT NULL,
    kind text NOT NULL CONSTRAINT counters_kind CHECK (kind IN ('COUNTER', 'BANK')),
    closed boolean NOT NULL DEFAULT false
);

CREATE TABLE mpower.users (
    user_id integer GENERATED ALWAYS AS IDENTITY CONSTRAINT users_pk PRIMARY KEY,
    name text COLLATE "C" NOT NULL CONSTRAINT users_name_once UNIQUE,
    person text NOT NULL,
    role text NOT NULL CONSTRAINT users_role CHECK (role IN ('clerk', 'officer', 'ops', 'bank', 'admin')),
    password_hash text NOT NULL CONSTRAINT users_hash_is_argon2id CHECK (password_hash LIKE '$argon2id$%'),
    created_at timestamptz NOT NULL,
    disabled_at timestamptz,
    disabled_why text
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
    ended_why text CONSTRAINT sessions_ended_why CHECK (ended_why IN ('SIGNED_OUT', 'DISABLED', 'REPLACED', 'IDLE'))
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
    loaded_as bytea NOT NULL
);
COMMENT ON COLUMN mpower.consumers.loaded_as IS 'SHA-256 of the row as it was loaded: the same row again is no change';
CREATE INDEX consumers_by_name ON mpower.consumers ((lower(name) COLLATE "C"));
CREATE INDEX consumers_by_meter ON mpower.consumers (meter) WHERE meter <> '';
CREATE INDEX consumers_by_mobile ON mpower.consumers (mobile) WHERE mobile <> '';

CREATE TRIGGER users_stay BEFORE DELETE OR TRUNCATE ON mpower.users
    FOR EACH STATEMENT EXECUTE FUNCTION mpower.refuse_change();
CREATE TRIGGER days_stay BEFORE DELETE OR TRUNCATE ON mpower.days
    FOR EACH STATEMENT EXECUTE FUNCTION mpower.refuse_change();
CREATE TRIGGER counters_stay BEFORE DELETE OR TRUNCATE ON mpower.counters
    FOR EACH STATEMENT EXECUTE FUNCTION mpower.refuse_change();
CREATE TRIGGER consumers_stay BEFORE DELETE OR TRUNCATE ON mpower.consumers
    FOR EACH STATEMENT EXECUTE FUNCTION mpower.refuse_change();
ALTER TABLE mpower.users ENABLE ALWAYS TRIGGER users_stay;
ALTER TABLE mpower.days ENABLE ALWAYS TRIGGER days_stay;
ALTER TABLE mpower.counters ENABLE ALWAYS TRIGGER counters_stay;
ALTER TABLE mpower.consumers ENABLE ALWAYS TRIGGER consumers_stay;

GRANT SELECT ON mpower.counters, mpower.days, mpower.consumers TO mpower_report;
GRANT SELECT (user_id, name, person, role, created_at, disabled_at, disabled_why) ON mpower.users TO mpower_report;
