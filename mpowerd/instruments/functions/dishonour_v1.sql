-- Take a receipt back because its instrument was not paid: one voucher that reverses it out of where its money stands now,
-- from the consumer who has it now (who paid it, or to whom it was moved or matched out of suspense),
-- valued at the day it was taken; one that charges for it and revives the surcharge; a bar for cheques; the notice, which
-- is a contact with the consumer. One that still lay in the till of an open shift is given back out of it: the series is
-- held, so that the shift's closing counts it or does not. The two events of the receipt's life make it happen once.
-- Nobody takes back what they paid, nor what went to an account of their own.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.dishonour_v1(token bytea, at_counter text, wanted bigint, returned_on date, why text,
    charge bigint, surcharge bigint, barred_until date, notice text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    me record;
    today date;
    taken mpower.requests;
    whose bigint := mpower.receipt_holder(wanted);
    stood text;
    money bigint;
    reversal bigint;
    debited bigint;
    told bigint;
BEGIN
    SELECT * INTO me FROM mpower.who(token);
    SELECT d.day INTO today FROM mpower.open_day() d;
    SELECT r.* INTO taken FROM mpower.requests r WHERE r.receipt = wanted;
    PERFORM mpower.must_not_be_own(me.person, taken.consumer);
    PERFORM mpower.must_not_be_own(me.person, whose);
    SELECT e.state INTO stood FROM mpower.receipt_events e WHERE e.receipt = wanted ORDER BY e.step DESC LIMIT 1;
    money := CASE stood WHEN 'REALISED' THEN -2 WHEN 'REMITTED' THEN -((wanted >> 38) * 16 + 8)
        WHEN 'VERIFIED' THEN (SELECT e.debit FROM mpower.entries e WHERE e.voucher = wanted) END;
    ASSERT money IS NOT NULL, 'a receipt that is not verified cannot come back';
    PERFORM mpower.hold_accounts(ARRAY[whose * 16, money, -7, -10] || ARRAY(
        SELECT mpower.held_for_state((l.account % 16)::integer) FROM mpower.receipt_lines(wanted) l));
    reversal := mpower.post_voucher('DISHONOUR', today, me.user_name,
        ARRAY(SELECT l.account FROM mpower.receipt_lines(wanted) l ORDER BY l.account)
            || ARRAY(SELECT mpower.held_for_state((l.account % 16)::integer) FROM mpower.receipt_lines(wanted) l
                WHERE l.account % 16 IN (5, 11) ORDER BY l.account),
        ARRAY(SELECT money FROM mpower.receipt_lines(wanted) l)
            || ARRAY(SELECT -10::bigint FROM mpower.receipt_lines(wanted) l WHERE l.account % 16 IN (5, 11)),
        ARRAY(SELECT l.paise FROM mpower.receipt_lines(wanted) l ORDER BY l.account)
            || ARRAY(SELECT l.paise FROM mpower.receipt_lines(wanted) l WHERE l.account % 16 IN (5, 11) ORDER BY l.account),
        taken.day);
    debited := mpower.post_voucher('RE_DEBIT', today, me.user_name, ARRAY[whose * 16 + 12, whose * 16 + 1],
        ARRAY[-7::bigint, -7], ARRAY[charge, surcharge]);
    IF debited IS NULL THEN
        INSERT INTO mpower.vouchers (kind, day, at, by) VALUES ('RE_DEBIT', today, now(), me.user_name)
            RETURNING voucher INTO debited;
    END IF;
    INSERT INTO mpower.receipt_events (receipt, step, state, after, voucher, day, at, by, reason) VALUES
        (wanted, 4, 'DISHONOURED', stood, reversal, today, now(), me.user_name, why),
        (wanted, 5, 'RE_DEBITED', 'DISHONOURED', debited, today, now(), me.user_name, why);
    IF EXISTS (SELECT FROM mpower.shift_of(wanted) s WHERE s.closed_at IS NULL) THEN
        INSERT INTO mpower.given_back (receipt) VALUES (wanted);
    END IF;
    IF barred_until IS NOT NULL THEN
        INSERT INTO mpower.cheque_bars AS b (consumer, until) VALUES (whose, barred_until)
            ON CONFLICT (consumer) DO UPDATE SET until = greatest(b.until, excluded.until);
    END IF;
    INSERT INTO mpower.dishonours (receipt, consumer, day, returned_on, why, charge_paise, surcharge_paise, barred_until,
            notice, by, at)
        VALUES (wanted, whose, today, returned_on, why, charge, surcharge, barred_until, notice, me.user_name, now());
    INSERT INTO mpower.contacts AS c (consumer, kind, direction, subject, remark, reference, user_name, counter, at)
        VALUES (whose, 'NOTICE', 'OUT', 'Instrument returned unpaid', why,
            mpower.receipt_text(taken.counter, wanted), me.user_name, at_counter, now()) RETURNING c.contact INTO told;
    RETURN told;
END
$$;
REVOKE ALL ON FUNCTION mpower.dishonour_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.dishonour_v1 TO mpower_officer;
