-- A receipt with all that taking it back or moving it needs: how it was paid, what became of it, to which heads it was posted,
-- and the board's rule of the open day. Held until the end, in this order: its counter's series, the receipt, the consumer who
-- has its money now (moved, or found out of suspense: not who paid it) together with the one to whom it shall go, if any.
-- No row: there is no such receipt. Money that lies in suspense is nobody's: refused.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.posted_receipt_v1(counter_code text, financial_year smallint, number integer,
    also bigint DEFAULT NULL)
RETURNS TABLE (receipt bigint, consumer text, name text, address text, mode text, instrument text, amount_paise bigint,
    day date, purpose text, office text, state text, moved boolean, today date, slots integer[], paise bigint[], charge_paise bigint, bar_days integer,
    surcharge_bp integer)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
#variable_conflict use_column
DECLARE
    open_on date;
    taken mpower.requests;
    holder bigint;
BEGIN
    SELECT d.day INTO open_on FROM mpower.open_day() d;
    SELECT r.* INTO taken FROM mpower.requests r JOIN mpower.counters c ON c.code = counter_code
        WHERE r.receipt = mpower.receipt_id(c.counter_id, posted_receipt_v1.financial_year, posted_receipt_v1.number);
    PERFORM FROM mpower.series s WHERE s.counter_id = taken.receipt >> 38
        AND s.financial_year = 2000 + (taken.receipt >> 30 & 255) FOR SHARE;  -- its shift does not end meanwhile
    PERFORM FROM mpower.requests r WHERE r.receipt = taken.receipt FOR NO KEY UPDATE;
    holder := mpower.receipt_holder(taken.receipt);
    IF taken.receipt IS NOT NULL AND holder IS NULL THEN
        PERFORM mpower.refuse('IN_SUSPENSE', json_build_object('receipt', mpower.receipt_text(counter_code, taken.receipt)));
    END IF;
    PERFORM mpower.hold_accounts(ARRAY[holder * 16, also * 16]);
    RETURN QUERY
        SELECT taken.receipt, lpad(c.consumer::text, 10, '0'), c.name, c.address, taken.mode, taken.instrument,
            taken.amount_paise, taken.day, taken.purpose, c.office, coalesce((SELECT e.state FROM mpower.receipt_events e
                WHERE e.receipt = taken.receipt ORDER BY e.step DESC LIMIT 1), 'TAKEN'),
            EXISTS (SELECT FROM mpower.transfers t WHERE t.receipt = taken.receipt), open_on,
            coalesce((SELECT array_agg((l.account % 16)::integer ORDER BY l.account) FROM mpower.receipt_lines(taken.receipt) l),
                '{}'),
            coalesce((SELECT array_agg(l.paise ORDER BY l.account) FROM mpower.receipt_lines(taken.receipt) l), '{}'),
            p.dishonour_paise, p.bar_days, p.surcharge_bp
        FROM mpower.consumers c, mpower.payment_rule(open_on) p WHERE c.consumer = holder;
END
$$;
REVOKE ALL ON FUNCTION mpower.posted_receipt_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.posted_receipt_v1 TO mpower_officer;
