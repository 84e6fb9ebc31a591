-- A machine calls with the certificate of its own request: since when (said again, the first time stands).

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.use_certificate_v1(subject text, digest bytea)
RETURNS TABLE (request_id integer, used_at timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY UPDATE mpower.certificate_requests AS r SET state = 'USED', used_at = coalesce(r.used_at, now())
        WHERE r.digest = use_certificate_v1.digest AND r.subject = use_certificate_v1.subject
            AND r.state IN ('SIGNED', 'USED')
        RETURNING r.request_id, r.used_at;
    IF NOT FOUND THEN
        PERFORM mpower.refuse('CERTIFICATE_NOT_SIGNED', json_build_object('subject', use_certificate_v1.subject));
    END IF;
END
$$;
REVOKE ALL ON FUNCTION mpower.use_certificate_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.use_certificate_v1 TO mpower_terminal, mpower_bank;
