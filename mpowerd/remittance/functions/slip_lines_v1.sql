-- The receipts of a slip with what has become of each; a cash slip has no lines, it is counted.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.slip_lines_v1(which integer)
RETURNS TABLE (receipt text, instrument text, paise bigint, state text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT mpower.receipt_text(r.counter, r.receipt), r.instrument, r.amount_paise, coalesce((SELECT z.state
            FROM mpower.receipt_events z WHERE z.receipt = r.receipt ORDER BY z.step DESC LIMIT 1), '')
        FROM mpower.slips s JOIN mpower.receipt_events e ON e.voucher = s.voucher JOIN mpower.requests r USING (receipt)
        WHERE s.slip = which AND s.kind <> 'CASH' ORDER BY r.receipt
$$;
REVOKE ALL ON FUNCTION mpower.slip_lines_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.slip_lines_v1 TO mpower_officer;
