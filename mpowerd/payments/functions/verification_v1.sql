-- How far a verification is; with its end what was posted to each head. One that is open waits while no business day is.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.verification_v1(verification bigint)
RETURNS TABLE (day date, counter text, by text, state text, why text, receipts integer, done integer, posted integer,
    posted_paise bigint, slots integer[], slot_paise bigint[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT v.day, v.counter, v.by, v.state, CASE WHEN v.state = 'OPEN' AND NOT EXISTS (SELECT FROM mpower.days d
            WHERE d.closed_at IS NULL) THEN 'no business day is open to post on' ELSE v.why END, v.receipts, v.done, v.posted, v.posted_paise,
        coalesce(array_agg(h.slot ORDER BY h.slot) FILTER (WHERE h.slot IS NOT NULL), '{}'),
        coalesce(array_agg(h.paise ORDER BY h.slot) FILTER (WHERE h.slot IS NOT NULL), '{}')
    FROM mpower.verifications v LEFT JOIN LATERAL (
        SELECT (e.credit % 16)::integer AS slot, sum(e.amount_paise)::bigint AS paise
        FROM mpower.verification_steps s JOIN mpower.entries e ON e.voucher = s.voucher
        WHERE s.verification = v.verification AND e.credit >= 0 AND v.state <> 'OPEN' GROUP BY 1) h ON true
    WHERE v.verification = verification_v1.verification GROUP BY v.verification
$$;
REVOKE ALL ON FUNCTION mpower.verification_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.verification_v1 TO mpower_officer, mpower_ops;
