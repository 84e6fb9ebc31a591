-- The refunds of an office and all below it, oldest first after a voucher: those that wait to be paid out, or (`paid`) those
-- that were, as the bank is told.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.refunds_v1(of_office text, paid boolean, after bigint, most integer)
RETURNS TABLE (refund bigint, day date, consumer text, name text, paise bigint, payout bigint, mode text, reference text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT t.voucher, coalesce(x.day, v.day), lpad(c.consumer::text, 10, '0'), c.name, t.paise, coalesce(p.voucher, 0),
        coalesce(p.mode, ''), coalesce(p.reference, '')
    FROM mpower.transfers t JOIN mpower.vouchers v USING (voucher) JOIN mpower.consumers c USING (consumer)
    LEFT JOIN mpower.payouts p ON p.refund = t.voucher LEFT JOIN mpower.vouchers x ON x.voucher = p.voucher
    WHERE t.kind = 'REFUND' AND t.voucher > after AND (p.voucher IS NOT NULL) = paid
        AND mpower.office_within(c.office, of_office)
    ORDER BY t.voucher LIMIT most + 1
$$;
REVOKE ALL ON FUNCTION mpower.refunds_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.refunds_v1 TO mpower_officer;
