-- Requests of machines for their next certificate: each waits until an administrator has answered it where the authority's
-- key lives. A machine has one that waits; a later one takes its place. What was asked and answered stays.

SET LOCAL ROLE mpower_owner;

CREATE TABLE mpower.certificate_requests (
    request_id integer GENERATED ALWAYS AS IDENTITY CONSTRAINT certificate_requests_pk PRIMARY KEY,
    subject text COLLATE "C" NOT NULL,
    digest bytea NOT NULL CONSTRAINT certificate_requests_once UNIQUE
        CONSTRAINT certificate_requests_digest_is_sha256 CHECK (octet_length(digest) = 32),
    request text NOT NULL,
    address text NOT NULL,
    asked_at timestamptz NOT NULL,
    state text NOT NULL DEFAULT 'WAITING'
        CONSTRAINT certificate_requests_state CHECK (state IN ('WAITING', 'SIGNED', 'REFUSED', 'USED')),
    settled_at timestamptz,
    certificate text,
    why text,
    used_at timestamptz,
    CONSTRAINT certificate_requests_settled CHECK ((state = 'WAITING') = (settled_at IS NULL)),
    CONSTRAINT certificate_requests_signed CHECK ((state IN ('SIGNED', 'USED')) = (certificate IS NOT NULL)),
    CONSTRAINT certificate_requests_refused CHECK ((state = 'REFUSED') = (why IS NOT NULL)),
    CONSTRAINT certificate_requests_used CHECK ((state = 'USED') = (used_at IS NOT NULL))
);
COMMENT ON COLUMN mpower.certificate_requests.subject IS 'of the certificate by which it was asked, e.g. counter/C001';
CREATE UNIQUE INDEX certificate_requests_one_waits ON mpower.certificate_requests (subject) WHERE state = 'WAITING';
CREATE INDEX certificate_requests_of ON mpower.certificate_requests (subject, asked_at);

SELECT mpower.keep('{certificate_requests}', false);

GRANT SELECT ON mpower.certificate_requests TO mpower_report;
