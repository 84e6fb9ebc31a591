-- Pay a refund out of the board's bank account, whole and once: one voucher, and the line of the advice to the bank. Four-eyes.
-- Not where what was refunded is not there: an instrument behind it came back since, or waits for the bank.
-- Whoever has the consumer's account as their own does not do it.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.pay_out_v1(token bytea, whom bigint, wanted bigint, mode text, reference text, reason text)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    me record;
    today date;
    owed bigint;
    paid bigint;
    short bigint;
BEGIN
    PERFORM mpower.must_be_approved('transfers.pay_out');
    SELECT * INTO me FROM mpower.who(token);
    SELECT d.day INTO today FROM mpower.open_day() d;
    PERFORM mpower.hold_accounts(ARRAY[whom * 16, -2, -8]);
    SELECT t.paise INTO owed FROM mpower.transfers t WHERE t.voucher = wanted AND t.kind = 'REFUND' AND t.consumer = whom;
    IF owed IS NULL THEN
        PERFORM mpower.refuse('NO_REFUND', json_build_object('refund', wanted::text, 'consumer', lpad(whom::text, 10, '0')));
    ELSIF EXISTS (SELECT FROM mpower.payouts p WHERE p.refund = wanted) THEN
        PERFORM mpower.refuse('REFUND_PAID', json_build_object('refund', wanted::text));
    END IF;
    SELECT v.waits - v.paise INTO short FROM mpower.advance_of(whom, NULL) v;
    IF short > 0 THEN
        PERFORM mpower.refuse('REFUND_UNCOVERED', json_build_object('refund', wanted::text, 'short', short));
    END IF;
    paid := mpower.post_voucher('PAID_OUT', today, me.user_name, ARRAY[-8::bigint], ARRAY[-2::bigint], ARRAY[owed]);
    INSERT INTO mpower.payouts (voucher, refund, mode, reference, reason) VALUES (paid, wanted, mode, reference, reason);
    RETURN paid;
END
$$;
REVOKE ALL ON FUNCTION mpower.pay_out_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.pay_out_v1 TO mpower_officer;
