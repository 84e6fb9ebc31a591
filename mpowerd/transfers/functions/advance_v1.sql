-- A consumer, held: name, office, the advance the board holds with what of it waits for the bank (but for a receipt that leaves
-- whole), and what the spreading of money over the heads needs, by the rule of a day (null: the open day). No row: no such
-- consumer.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.advance_v1(whom bigint, on_day date, besides bigint DEFAULT NULL) RETURNS TABLE (name text, office text,
    advance_paise bigint, waits_paise bigint, waits_for text, allocation text, slots integer[], balances bigint[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
#variable_conflict use_column
DECLARE
    by_day date := on_day;
BEGIN
    IF by_day IS NULL THEN
        SELECT d.day INTO by_day FROM mpower.open_day() d;
    END IF;
    PERFORM FROM mpower.accounts a WHERE a.account = whom * 16 FOR UPDATE;
    RETURN QUERY
        SELECT c.name, c.office, v.paise, v.waits, v.receipts, p.allocation, coalesce(h.slots, '{}'),
            coalesce(h.balances, '{}')
        FROM mpower.consumers c CROSS JOIN mpower.payment_rule(by_day) p CROSS JOIN mpower.advance_of(whom, besides) v CROSS JOIN LATERAL (
            SELECT array_agg((a.account % 16)::integer ORDER BY a.account) AS slots,
                array_agg(a.balance_paise ORDER BY a.account) AS balances
            FROM mpower.accounts a WHERE a.account BETWEEN whom * 16 + 1 AND whom * 16 + 12) h
        WHERE c.consumer = whom;
END
$$;
REVOKE ALL ON FUNCTION mpower.advance_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.advance_v1 TO mpower_officer;
