-- Move money by one voucher, all its legs in it: between consumers (out of an advance, or a receipt as it was posted), up to
-- head office, or back to a consumer. Four-eyes. The legs come as parallel arrays; out of an advance or a counter's account
-- no more goes than is there, also where a receipt is named whose money went into the advance, and nothing that the bank has
-- not credited yet, but with its own receipt; and a receipt is moved once.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.transfer_v1(operation text, kind text, token bytea, whom bigint, to_whom bigint, wanted bigint,
    debits bigint[], credits bigint[], parts bigint[], value_day date, total bigint, reference text, reason text)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    me record;
    today date;
    source bigint := CASE kind WHEN 'SENT_UP' THEN credits[1] ELSE whom * 16 + 6 END;
    leaves bigint;
    moved bigint;
    there bigint;
    waits bigint := 0;
    behind text;
BEGIN
    PERFORM mpower.must_be_approved(operation);
    SELECT * INTO me FROM mpower.who(token);
    SELECT d.day INTO today FROM mpower.open_day() d;
    PERFORM mpower.hold_accounts(ARRAY[whom * 16, to_whom * 16] || ARRAY(
        SELECT g.one FROM unnest(debits || credits) g (one) WHERE g.one < 0));
    SELECT sum(g.paise) INTO leaves FROM unnest(debits, credits, parts) g (debit, credit, paise)
        WHERE source IN (g.debit, g.credit);
    IF kind = 'SENT_UP' THEN
        SELECT a.balance_paise INTO there FROM mpower.accounts a WHERE a.account = source;
    ELSE
        SELECT v.paise, v.waits, v.receipts INTO there, waits, behind FROM mpower.advance_of(whom, wanted) v;
    END IF;
    IF leaves > coalesce(there, 0) - waits THEN
        PERFORM mpower.refuse(CASE WHEN kind = 'SENT_UP' THEN 'OVER_FUND' WHEN wanted IS NOT NULL THEN 'ADVANCE_SPENT'
            WHEN leaves > there THEN 'OVER_ADVANCE' ELSE 'ADVANCE_WAITS' END, json_build_object('amount', leaves,
            'there', greatest(coalesce(there, 0) - CASE WHEN leaves > there AND wanted IS NULL THEN 0 ELSE waits END, 0),
            'waits', waits, 'receipts', behind,
            'receipt', (SELECT mpower.receipt_text(r.counter, r.receipt) FROM mpower.requests r WHERE r.receipt = wanted)));
    END IF;
    moved := mpower.post_voucher(kind, today, me.user_name, debits, credits, parts, value_day);
    INSERT INTO mpower.transfers (voucher, kind, consumer, to_consumer, receipt, paise, reference, reason)
        VALUES (moved, kind, whom, to_whom, wanted, total, reference, reason);
    RETURN moved;
END
$$;
REVOKE ALL ON FUNCTION mpower.transfer_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.transfer_v1 TO mpower_officer;
