-- Keep a machine's request for its next certificate; the same request again is the same row. One of the machine's that
-- still waits gives way. At most `most` a day are kept, so that nobody can fill the disk with them.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.ask_certificate_v1(subject text, digest bytea, request text, address text, most integer)
RETURNS TABLE (request_id integer, asked_at timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT r.request_id, r.asked_at FROM mpower.certificate_requests r
        WHERE r.digest = ask_certificate_v1.digest AND r.subject = ask_certificate_v1.subject;
    IF FOUND THEN
        RETURN;
    END IF;
    IF (SELECT count(*) FROM mpower.certificate_requests r
            WHERE r.subject = ask_certificate_v1.subject AND r.asked_at > now() - interval '1 day') >= most THEN
        PERFORM mpower.refuse('CERTIFICATE_ASKED_OFTEN', json_build_object('subject', ask_certificate_v1.subject,
            'most', most::text));
    END IF;
    UPDATE mpower.certificate_requests r SET state = 'REFUSED', settled_at = now(), why = 'the machine asked anew'
        WHERE r.subject = ask_certificate_v1.subject AND r.state = 'WAITING';
    RETURN QUERY INSERT INTO mpower.certificate_requests AS r (subject, digest, request, address, asked_at)
        VALUES (ask_certificate_v1.subject, ask_certificate_v1.digest, ask_certificate_v1.request,
            ask_certificate_v1.address, now())
        RETURNING r.request_id, r.asked_at;
END
$$;
REVOKE ALL ON FUNCTION mpower.ask_certificate_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.ask_certificate_v1 TO mpower_terminal, mpower_bank;
