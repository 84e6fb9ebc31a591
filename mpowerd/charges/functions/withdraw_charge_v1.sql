-- Withdraw a charge that was raised by mistake: four-eyes. One voucher reverses its entries, valued at the day of the
-- charge, so that it counts as never raised. Only while all of it is payable: what was paid on it, or waits to be verified,
-- is moved or given back first. Once; the reference stays used.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.withdraw_charge_v1(token bytea, whom bigint, slot integer, reference text, reason text)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    me record;
    today date;
    found record;
    reversal bigint;
BEGIN
    PERFORM mpower.must_be_approved('charges.withdraw');
    SELECT * INTO me FROM mpower.who(token);
    SELECT d.day INTO today FROM mpower.open_day() d;
    PERFORM FROM mpower.accounts a WHERE a.account = whom * 16 FOR UPDATE;
    SELECT h.*, v.day INTO found FROM mpower.charge_v1(whom, slot, reference) h JOIN mpower.vouchers v USING (voucher);
    IF found.voucher IS NULL THEN
        PERFORM mpower.refuse('NO_CHARGE', json_build_object('reference', reference));
    ELSIF found.withdrawn THEN
        PERFORM mpower.refuse('CHARGE_WITHDRAWN', json_build_object('reference', reference));
    ELSIF found.payable < found.paise THEN
        PERFORM mpower.refuse('CHARGE_PAID', json_build_object('reference', reference, 'amount', found.paise,
            'payable', greatest(found.payable, 0)));
    END IF;
    reversal := (SELECT mpower.post_voucher('WITHDRAWAL', today, me.user_name, array_agg(e.credit ORDER BY e.line),
            array_agg(e.debit ORDER BY e.line), array_agg(e.amount_paise ORDER BY e.line), found.day)
        FROM mpower.entries e WHERE e.voucher = found.voucher);
    INSERT INTO mpower.withdrawals (voucher, charge, reason) VALUES (reversal, found.voucher, reason);
    RETURN reversal;
END
$$;
REVOKE ALL ON FUNCTION mpower.withdraw_charge_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.withdraw_charge_v1 TO mpower_officer;
