-- A request that waits, locked until it is answered: whose, and what was asked.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.certificate_request_v1(request_id integer) RETURNS TABLE (subject text, request text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
DECLARE
    found mpower.certificate_requests;
BEGIN
    SELECT r.* INTO found FROM mpower.certificate_requests r
        WHERE r.request_id = certificate_request_v1.request_id FOR UPDATE;
    IF found.request_id IS NULL THEN
        PERFORM mpower.refuse('NO_CERTIFICATE_REQUEST', json_build_object('request', request_id::text));
    ELSIF found.state <> 'WAITING' THEN
        PERFORM mpower.refuse('CERTIFICATE_SETTLED', json_build_object('request', request_id::text,
            'subject', found.subject, 'state', lower(found.state)));
    END IF;
    RETURN QUERY SELECT found.subject, found.request;
END
$$;
REVOKE ALL ON FUNCTION mpower.certificate_request_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.certificate_request_v1 TO mpower_admin;
