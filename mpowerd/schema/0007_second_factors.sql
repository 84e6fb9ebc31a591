-- The second factor of a login: a shared secret (RFC 6238) and the last time step whose code was used. A code is used once.

SET LOCAL ROLE mpower_owner;

CREATE TABLE mpower.second_factors (
    user_id integer NOT NULL CONSTRAINT second_factors_pk PRIMARY KEY
        CONSTRAINT second_factors_of_user REFERENCES mpower.users,
    secret bytea NOT NULL CONSTRAINT second_factors_secret_is_160_bits CHECK (octet_length(secret) = 20),
    last_step bigint NOT NULL,
    enrolled_at timestamptz NOT NULL
);
