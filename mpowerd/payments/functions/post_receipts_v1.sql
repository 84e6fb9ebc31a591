-- Verify receipts and post their money to the heads, as one voucher. Lines are parallel arrays; each receipt's lines sum
-- to its amount, or all is refused as our own mistake. The accounts were locked by unverified_v1 in this transaction.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.post_receipts_v1(
    by text, receipts bigint[], line_receipts bigint[], line_slots integer[], line_paise bigint[]
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    today date;
    voucher_number bigint;
    wrong bigint;
BEGIN
    SELECT d.day INTO today FROM mpower.open_day() d;
    SELECT r.receipt INTO wrong FROM mpower.requests r
        LEFT JOIN (SELECT g.receipt, sum(g.paise) AS paise FROM unnest(line_receipts, line_paise) g (receipt, paise)
            GROUP BY g.receipt) p ON p.receipt = r.receipt
        WHERE r.receipt = ANY (receipts) AND (r.consumer IS NULL OR p.paise IS DISTINCT FROM r.amount_paise) LIMIT 1;
    ASSERT wrong IS NULL, 'the lines of a receipt do not sum to it';
    INSERT INTO mpower.vouchers (kind, day, at, by) VALUES ('VERIFY', today, now(), by) RETURNING voucher INTO voucher_number;
    INSERT INTO mpower.receipt_events (receipt, step, state, voucher, day, at, by, reason)
        SELECT g.receipt, 1, 'VERIFIED', voucher_number, today, now(), by, '' FROM unnest(receipts) g (receipt);
    INSERT INTO mpower.entries (voucher, line, debit, credit, amount_paise)
        SELECT voucher_number, row_number() OVER (), r.consumer * 16, r.consumer * 16 + g.slot, g.paise
        FROM unnest(line_receipts, line_slots, line_paise) g (receipt, slot, paise)
        JOIN mpower.requests r ON r.receipt = g.receipt;
    UPDATE mpower.accounts a SET balance_paise = a.balance_paise + t.paise, owed_paise = a.owed_paise - t.paise
        FROM (SELECT e.debit, sum(e.amount_paise) AS paise FROM mpower.entries e WHERE e.voucher = voucher_number
            GROUP BY e.debit) t WHERE a.account = t.debit;
    INSERT INTO mpower.accounts AS a (account, balance_paise)
        SELECT e.credit, -sum(e.amount_paise) FROM mpower.entries e WHERE e.voucher = voucher_number GROUP BY e.credit
            ORDER BY e.credit
        ON CONFLICT (account) DO UPDATE SET balance_paise = a.balance_paise + excluded.balance_paise;
END
$$;
REVOKE ALL ON FUNCTION mpower.post_receipts_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.post_receipts_v1 TO mpower_officer;
