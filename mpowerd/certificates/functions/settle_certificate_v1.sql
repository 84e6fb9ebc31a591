-- Answer a request that certificate_request_v1 has locked in this transaction: a certificate, or (null) why not.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.settle_certificate_v1(request_id integer, certificate text, why text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
    UPDATE mpower.certificate_requests r SET settled_at = now(),
        state = CASE WHEN settle_certificate_v1.certificate IS NULL THEN 'REFUSED' ELSE 'SIGNED' END,
        certificate = settle_certificate_v1.certificate,
        why = CASE WHEN settle_certificate_v1.certificate IS NULL THEN settle_certificate_v1.why END
        WHERE r.request_id = settle_certificate_v1.request_id AND r.state = 'WAITING'
$$;
REVOKE ALL ON FUNCTION mpower.settle_certificate_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.settle_certificate_v1 TO mpower_admin;
