-- Cancel a receipt of the open day: a voucher that moves the money back; the number stays. Not one's own taking
-- nor of one's own account: the person counts, not the login; and at the counter itself, where the paper is (a bank's line: anywhere). Nor after its shift was closed: that money was counted and has left the till.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.cancel_receipt_v1(
    counter_code text, financial_year smallint, number integer, at_counter text, by text, person text, reason text
) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
DECLARE
    today date;
    taken mpower.requests;
    moved mpower.entries;
    became text;
    printed text := counter_code || '/' || financial_year || '-' || lpad(((financial_year + 1) % 100)::text, 2, '0') || '/'
        || number;
    voucher_number bigint;
BEGIN
    SELECT d.day INTO today FROM mpower.open_day() d;
    SELECT r.* INTO taken FROM mpower.requests r JOIN mpower.counters c ON c.code = counter_code
        WHERE r.receipt = mpower.receipt_id(c.counter_id, cancel_receipt_v1.financial_year, cancel_receipt_v1.number);
    IF taken.receipt IS NULL THEN
        PERFORM mpower.refuse('NO_RECEIPT', json_build_object('receipt', printed));
    END IF;
    PERFORM mpower.must_not_be_own(person, taken.consumer);
    PERFORM FROM mpower.series s WHERE s.counter_id = taken.receipt >> 38
        AND s.financial_year = 2000 + (taken.receipt >> 30 & 255) FOR SHARE;  -- its shift does not end meanwhile
    SELECT * INTO moved FROM mpower.entries e WHERE e.voucher = taken.receipt;
    PERFORM FROM mpower.accounts a WHERE a.account IN (moved.debit, moved.credit) ORDER BY a.account DESC FOR UPDATE;
    SELECT e.state INTO became FROM mpower.receipt_events e WHERE e.receipt = taken.receipt AND e.step = 1;
    IF became = 'CANCELLED' THEN
        PERFORM mpower.refuse('RECEIPT_CANCELLED', json_build_object('receipt', printed));
    ELSIF became IS NOT NULL THEN
        PERFORM mpower.refuse('RECEIPT_VERIFIED', json_build_object('receipt', printed));
    ELSIF counter_code <> at_counter AND EXISTS (SELECT FROM mpower.counters c
            WHERE c.code = counter_code AND c.kind = 'COUNTER') THEN
        PERFORM mpower.refuse('RECEIPT_OTHER_COUNTER', json_build_object('receipt', printed, 'counter', counter_code));
    ELSIF taken.day <> today THEN
        PERFORM mpower.refuse('RECEIPT_OTHER_DAY', json_build_object('receipt', printed, 'date', taken.day));
    ELSIF EXISTS (SELECT FROM mpower.users u WHERE u.user_id = taken.user_id AND u.person = cancel_receipt_v1.person) THEN
        PERFORM mpower.refuse('OWN_WORK', json_build_object('receipt', printed));
    END IF;
    IF EXISTS (SELECT FROM mpower.shift_of(taken.receipt) s WHERE s.closed_at IS NOT NULL) THEN
        PERFORM mpower.refuse('RECEIPT_COUNTED', json_build_object('receipt', printed));
    ELSIF moved.amount_paise > (SELECT a.balance_paise FROM mpower.accounts a WHERE a.account = moved.debit) THEN
        PERFORM mpower.refuse(CASE taken.mode WHEN 'CASH' THEN 'TILL_SHORT' ELSE 'MONEY_GONE_UP' END, json_build_object('receipt', printed, 'amount', moved.amount_paise));
    END IF;
    INSERT INTO mpower.vouchers (kind, day, at, by) VALUES ('CANCEL', today, now(), cancel_receipt_v1.by)
        RETURNING voucher INTO voucher_number;
    INSERT INTO mpower.receipt_events (receipt, step, state, voucher, day, at, by, reason)
        VALUES (taken.receipt, 1, 'CANCELLED', voucher_number, today, now(), cancel_receipt_v1.by, cancel_receipt_v1.reason);
    INSERT INTO mpower.entries (voucher, line, debit, credit, amount_paise)
        VALUES (voucher_number, 1, moved.credit, moved.debit, moved.amount_paise);
    UPDATE mpower.accounts a
        SET balance_paise = a.balance_paise
            + CASE a.account WHEN moved.credit THEN moved.amount_paise ELSE -moved.amount_paise END
        WHERE a.account IN (moved.debit, moved.credit);
    IF mpower.own_slot(taken.purpose) IS NOT NULL AND taken.consumer IS NOT NULL THEN  -- payable under its own head again
        UPDATE mpower.accounts a SET bound_paise = a.bound_paise + taken.amount_paise WHERE a.account = taken.consumer * 16;
        UPDATE mpower.accounts a SET owed_paise = a.owed_paise + taken.amount_paise
            WHERE a.account = taken.consumer * 16 + mpower.own_slot(taken.purpose);
    END IF;
    RETURN moved.amount_paise;
END
$$;
REVOKE ALL ON FUNCTION mpower.cancel_receipt_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.cancel_receipt_v1 TO mpower_officer;
