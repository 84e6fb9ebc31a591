-- Raise a charge under a head that is paid for itself, as one voucher: four-eyes. An instalment plan (7) moves arrears, up to
-- what stands there; a compounding fee (11) is the State's; everything else the board has earned. A note or an order is
-- charged once under its head.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.raise_charge_v1(token bytea, whom bigint, slot integer, paise bigint, reference text, reason text)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    me record;
    today date;
    arrears bigint;
    charged bigint;
    voucher bigint;
BEGIN
    PERFORM mpower.must_be_approved('charges.raise');
    SELECT * INTO me FROM mpower.who(token);
    SELECT d.day INTO today FROM mpower.open_day() d;
    PERFORM FROM mpower.accounts a WHERE a.account = whom * 16 FOR UPDATE;
    IF NOT FOUND THEN
        PERFORM mpower.refuse('NO_CONSUMER', json_build_object('consumer', lpad(whom::text, 10, '0')));
    END IF;
    SELECT c.paise INTO charged FROM mpower.charges c
        WHERE c.consumer = whom AND c.slot = raise_charge_v1.slot AND c.reference = raise_charge_v1.reference;
    IF FOUND THEN
        PERFORM mpower.refuse('CHARGE_KNOWN', json_build_object('reference', raise_charge_v1.reference,
            'amount', charged));
    END IF;
    IF slot = 7 THEN
        SELECT coalesce(max(a.balance_paise), 0) INTO arrears FROM mpower.accounts a WHERE a.account = whom * 16 + 2;
        IF paise > arrears THEN
            PERFORM mpower.refuse('OVER_ARREARS', json_build_object('amount', paise, 'arrears', greatest(arrears, 0)));
        END IF;
    END IF;
    voucher := mpower.post_voucher('CHARGE', today, me.user_name, ARRAY[whom * 16 + slot],
        ARRAY[CASE slot WHEN 7 THEN whom * 16 + 2 WHEN 11 THEN -10 ELSE -7 END], ARRAY[paise]);
    INSERT INTO mpower.charges (voucher, consumer, slot, paise, reference, reason)
        VALUES (voucher, whom, slot, paise, reference, reason);
    RETURN voucher;
END
$$;
REVOKE ALL ON FUNCTION mpower.raise_charge_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.raise_charge_v1 TO mpower_officer;
