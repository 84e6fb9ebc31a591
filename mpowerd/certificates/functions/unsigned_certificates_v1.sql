-- Whose requests have waited longer than `since`, the oldest first: for the alarm.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.unsigned_certificates_v1(since interval, most integer)
RETURNS TABLE (subject text, asked_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT r.subject, r.asked_at FROM mpower.certificate_requests r
        WHERE r.state = 'WAITING' AND r.asked_at < now() - since ORDER BY r.asked_at LIMIT most
$$;
REVOKE ALL ON FUNCTION mpower.unsigned_certificates_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.unsigned_certificates_v1 TO mpower_app;
