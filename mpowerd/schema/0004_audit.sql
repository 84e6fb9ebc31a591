-- The audit: links in a few chains. A link covers, in order of position, the requests and the audit entries that carry
-- its number; its hash is SHA-256 of the previous link's hash and of those rows as record_send writes them. A link's
-- number is chain * 2^40 + its place in the chain, from 1 without a gap.

SET LOCAL ROLE mpower_owner;

CREATE TABLE mpower.audit_links (
    link bigint NOT NULL CONSTRAINT audit_links_pk PRIMARY KEY,
    at timestamptz NOT NULL,
    term bigint NOT NULL,
    covers integer NOT NULL,
    previous bytea NOT NULL,
    hash bytea NOT NULL,
    marks integer[] NOT NULL
);
COMMENT ON COLUMN mpower.audit_links.marks IS
    'a short hash of each row it covers, in order: proves nothing, names the row that was changed';
CREATE INDEX requests_of_link ON mpower.requests (link);

CREATE TABLE mpower.audit_entries (
    link bigint NOT NULL,
    position smallint NOT NULL,
    at timestamptz NOT NULL,
    what text NOT NULL,
    outcome text NOT NULL,
    user_name text NOT NULL,
    person text NOT NULL,
    role text NOT NULL,
    subject text NOT NULL,
    address text NOT NULL,
    counter text COLLATE "C" NOT NULL,
    client uuid,
    sequence bigint,
    object text NOT NULL,
    details text NOT NULL,
    reason text NOT NULL,
    CONSTRAINT audit_entries_pk PRIMARY KEY (link, position)
);

CREATE INDEX audit_entries_of_vouchers ON mpower.audit_entries (link) WHERE details LIKE '{"vouchers":%';

SELECT mpower.keep('{audit_links, audit_entries}', true);

GRANT SELECT ON mpower.audit_links, mpower.audit_entries TO mpower_report;

-- What of a request is covered. One place, for writing and for proving. previous_receipt and name are covered too:
-- they are what a replayed receipt and a consumer's history are rebuilt from. STABLE, as record_send is: declared IMMUTABLE
-- it would not be inlined, which costs 12 µs a payment.
CREATE FUNCTION mpower.request_evidence(r mpower.requests) RETURNS bytea LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT record_send(ROW(r.counter, r.client, r.sequence, r.at, r.receipt, r.previous_receipt, r.consumer,
        r.amount_paise, r.day, r.user_id, r.position, r.fingerprint, r.operation, r.actor, r.address, r.mode,
        r.instrument, r.purpose, r.name, r.refusal, r.refusal_fields, r.reply))
$$;
CREATE FUNCTION mpower.entry_evidence(e mpower.audit_entries) RETURNS bytea LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT record_send(ROW(e.position, e.at, e.what, e.outcome, e.user_name, e.person, e.role, e.subject, e.address,
        e.counter, e.client, e.sequence, e.object, e.details, e.reason))
$$;

-- Every row that a link covers, with what of it is hashed.
CREATE VIEW mpower.audit_evidence AS
    SELECT r.link, r.position, r.at, mpower.request_evidence(r) AS evidence FROM mpower.requests r
    UNION ALL
    SELECT e.link, e.position, e.at, mpower.entry_evidence(e) FROM mpower.audit_entries e;
