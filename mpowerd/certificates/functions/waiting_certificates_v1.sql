-- The requests that wait for a signature, the oldest first, after a number.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.waiting_certificates_v1(after integer, most integer)
RETURNS TABLE (request_id integer, subject text, asked_at timestamptz, address text, request text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT r.request_id, r.subject, r.asked_at, r.address, r.request FROM mpower.certificate_requests r
        WHERE r.state = 'WAITING' AND r.request_id > after ORDER BY r.request_id LIMIT most
$$;
REVOKE ALL ON FUNCTION mpower.waiting_certificates_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.waiting_certificates_v1 TO mpower_admin;
