-- The receipts that a verification did not verify, a page, with the code of each refusal; of one that FAILED why.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.verification_left_v1(verification bigint, after integer, most integer)
RETURNS TABLE (place integer, number text, code text, reason text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT i.place, mpower.receipt_text(r.counter, r.receipt), i.outcome, i.reason
    FROM mpower.verification_items i JOIN mpower.requests r USING (receipt)
    WHERE i.verification = verification_left_v1.verification AND i.place > after AND i.outcome <> 'VERIFIED'
    ORDER BY i.place LIMIT most
$$;
REVOKE ALL ON FUNCTION mpower.verification_left_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.verification_left_v1 TO mpower_officer, mpower_ops;
