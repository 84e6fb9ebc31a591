-- Give a consumer the money of a receipt that lay in a bank's suspense, as one voucher, valued at the day it came. With it the
-- receipt is verified and posted: it cannot be matched or cancelled again. Nobody gives it to an account of their own.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.match_suspense_v1(token bytea, wanted bigint, whom bigint, debits bigint[], credits bigint[],
    parts bigint[], reason text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    me record;
    today date;
    taken mpower.requests;
    matched bigint;
BEGIN
    SELECT * INTO me FROM mpower.who(token);
    PERFORM mpower.must_not_be_own(me.person, whom);
    SELECT d.day INTO today FROM mpower.open_day() d;
    SELECT r.* INTO taken FROM mpower.requests r WHERE r.receipt = wanted;
    ASSERT taken.consumer IS NULL, 'this money found its consumer';
    matched := mpower.post_voucher('MATCH', today, me.user_name, debits, credits, parts, taken.day);
    ASSERT (SELECT sum(e.amount_paise) FROM mpower.entries e WHERE e.voucher = matched
        AND e.debit = -((wanted >> 38) * 16 + 15)) = taken.amount_paise, 'the parts do not sum to what lay there';
    INSERT INTO mpower.receipt_events (receipt, step, state, voucher, day, at, by, reason)
        VALUES (wanted, 1, 'VERIFIED', matched, today, now(), me.user_name, reason);
    INSERT INTO mpower.transfers (voucher, kind, to_consumer, receipt, paise, reference, reason)
        VALUES (matched, 'MATCH', whom, wanted, taken.amount_paise, coalesce(taken.instrument, ''), reason);
    RETURN matched;
END
$$;
REVOKE ALL ON FUNCTION mpower.match_suspense_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.match_suspense_v1 TO mpower_officer;
