-- Move money by one voucher, all its legs in it: between consumers (out of an advance, or a receipt as it was posted), up to
-- head office, or back to a consumer. Four-eyes. The legs come as parallel arrays; out of an advance or a counter's account
-- no more goes than is there, and a receipt is moved once.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.transfer_v1(operation text, kind text, token bytea, whom bigint, to_whom bigint, wanted bigint,
    debits bigint[], credits bigint[], parts bigint[], value_day date, total bigint, reference text, reason text)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    me record;
    today date;
    moved bigint;
    there bigint;
BEGIN
    PERFORM mpower.must_be_approved(operation);
    SELECT * INTO me FROM mpower.who(token);
    SELECT d.day INTO today FROM mpower.open_day() d;
    PERFORM mpower.hold_accounts(ARRAY[whom * 16, to_whom * 16] || ARRAY(
        SELECT g.one FROM unnest(debits || credits) g (one) WHERE g.one < 0));
    IF kind = 'SENT_UP' THEN
        SELECT a.balance_paise INTO there FROM mpower.accounts a WHERE a.account = credits[1];
    ELSIF wanted IS NULL THEN
        SELECT -a.balance_paise INTO there FROM mpower.accounts a WHERE a.account = whom * 16 + 6;
    END IF;
    IF wanted IS NULL AND total > coalesce(there, 0) THEN
        PERFORM mpower.refuse(CASE kind WHEN 'SENT_UP' THEN 'OVER_FUND' ELSE 'OVER_ADVANCE' END,
            json_build_object('amount', total, 'there', greatest(coalesce(there, 0), 0)));
    END IF;
    moved := mpower.post_voucher(kind, today, me.user_name, debits, credits, parts, value_day);
    INSERT INTO mpower.transfers (voucher, kind, consumer, to_consumer, receipt, paise, reference, reason)
        VALUES (moved, kind, whom, to_whom, wanted, total, reference, reason);
    RETURN moved;
END
$$;
REVOKE ALL ON FUNCTION mpower.transfer_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.transfer_v1 TO mpower_officer;
