-- The verification that waits to be carried on, while a day is open, with its next receipt and how many wait behind it; no
-- row: none. The daemon itself asks, in no role.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.verifications_wait_v1()
RETURNS TABLE (verification bigint, day date, counter text, by text, done integer, receipts integer, next text,
    behind bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT v.verification, v.day, v.counter, v.by, v.done, v.receipts, mpower.receipt_text(r.counter, r.receipt),
        (SELECT count(*) FROM mpower.verifications o WHERE o.state = 'OPEN' AND o.verification > v.verification)
    FROM mpower.verifications v
    JOIN mpower.verification_items i ON i.verification = v.verification AND i.place = v.done + 1
    JOIN mpower.requests r ON r.receipt = i.receipt
    WHERE v.state = 'OPEN' AND EXISTS (SELECT FROM mpower.days d WHERE d.closed_at IS NULL)
    ORDER BY v.verification LIMIT 1
$$;
REVOKE ALL ON FUNCTION mpower.verifications_wait_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.verifications_wait_v1 TO mpower_app;
