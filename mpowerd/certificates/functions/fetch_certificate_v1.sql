-- What became of a machine's own request; no row where it has none.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.fetch_certificate_v1(subject text, digest bytea)
RETURNS TABLE (state text, asked_at timestamptz, certificate text, why text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT r.state, r.asked_at, r.certificate, r.why FROM mpower.certificate_requests r
        WHERE r.digest = fetch_certificate_v1.digest AND r.subject = fetch_certificate_v1.subject
$$;
REVOKE ALL ON FUNCTION mpower.fetch_certificate_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.fetch_certificate_v1 TO mpower_terminal, mpower_bank;
