-- Verify receipts and post their money to the heads, as one voucher. Lines are parallel arrays; each receipt's lines sum
-- to its amount, or all is refused as our own mistake; in the order of receipts, so that a receipt's lines can be told later.
-- `told`: those that an officer split otherwise than by the board's order; `split` says so.
-- What is the State's (duty, compounding) is from then on held for it. The accounts were locked when the receipts were read.
-- They are posted on the open day, whatever day they were taken on.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.post_receipts_v1(
    by text, receipts bigint[], line_receipts bigint[], line_slots integer[], line_paise bigint[],
    told bigint[], split text
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    today date;
    voucher_number bigint;
    wrong bigint;
BEGIN
    PERFORM pg_advisory_xact_lock_shared(77001, 1);
    SELECT d.day INTO today FROM mpower.days d WHERE d.closed_at IS NULL;
    IF today IS NULL THEN
        PERFORM mpower.refuse('NO_DAY_TO_POST', json_build_object('date',
            (SELECT min(r.day) FROM mpower.requests r WHERE r.receipt = ANY (receipts))));
    END IF;
    SELECT r.receipt INTO wrong FROM mpower.requests r
        LEFT JOIN (SELECT g.receipt, sum(g.paise) AS paise, min(g.slot) AS least, max(g.slot) AS most
            FROM unnest(line_receipts, line_slots, line_paise) g (receipt, slot, paise) GROUP BY g.receipt) p
            ON p.receipt = r.receipt
        WHERE r.receipt = ANY (receipts) AND (r.consumer IS NULL OR p.paise IS DISTINCT FROM r.amount_paise
            OR (p.least, p.most) <> (mpower.own_slot(r.purpose), mpower.own_slot(r.purpose))) LIMIT 1;
    ASSERT wrong IS NULL, 'the lines of a receipt do not sum to it, or are not of its own head';
    INSERT INTO mpower.vouchers (kind, day, at, by) VALUES ('VERIFY', today, now(), by) RETURNING voucher INTO voucher_number;
    INSERT INTO mpower.receipt_events (receipt, step, state, voucher, day, at, by, reason)
        SELECT g.receipt, 1, 'VERIFIED', voucher_number, today, now(), by, CASE WHEN g.receipt = ANY (told) THEN split ELSE '' END
        FROM unnest(receipts) g (receipt);
    INSERT INTO mpower.entries (voucher, line, debit, credit, amount_paise)
        SELECT voucher_number, g.line, r.consumer * 16, r.consumer * 16 + g.slot, g.paise
        FROM unnest(line_receipts, line_slots, line_paise) WITH ORDINALITY g (receipt, slot, paise, line)
        JOIN mpower.requests r ON r.receipt = g.receipt;
    INSERT INTO mpower.entries (voucher, line, debit, credit, amount_paise)
        SELECT voucher_number, cardinality(line_slots) + g.slot, -10, CASE g.slot WHEN 5 THEN -5 ELSE -6 END, sum(g.paise)
        FROM unnest(line_slots, line_paise) g (slot, paise) WHERE g.slot IN (5, 11) GROUP BY g.slot;
    PERFORM mpower.book_voucher(voucher_number, true);
END
$$;
REVOKE ALL ON FUNCTION mpower.post_receipts_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.post_receipts_v1 TO mpower_officer;
