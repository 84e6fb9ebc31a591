-- The bank has credited a held slip, or the named receipts of it: in transit -> the bank's account. What is credited must be
-- what they sum to; a receipt that was returned is dishonoured, not realised.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.realise_slip_v1(
    which integer, counters text[], years smallint[], numbers integer[], said bigint, value_date date, reference text, by text
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    today date;
    sent record;
    receipts bigint[];
    ids integer[];
    parts bigint[];
    total bigint;
    moved bigint;
BEGIN
    SELECT d.day INTO today FROM mpower.open_day() d;
    SELECT * INTO sent FROM mpower.slips_now s WHERE s.slip = which;
    IF sent.open_paise = 0 THEN
        PERFORM mpower.refuse('SLIP_SETTLED', json_build_object('slip', sent.text));
    ELSIF value_date < sent.day THEN
        PERFORM mpower.refuse('CREDIT_DATE', json_build_object('slip', sent.text, 'date', value_date, 'made', sent.day));
    ELSIF EXISTS (SELECT FROM mpower.realisations z WHERE z.slip = which AND z.reference = reference) THEN
        PERFORM mpower.refuse('CREDIT_KNOWN', json_build_object('slip', sent.text, 'reference', reference));
    END IF;
    SELECT array_agg(e.receipt) INTO receipts FROM mpower.receipt_events e WHERE e.voucher = sent.voucher
        AND NOT EXISTS (SELECT FROM mpower.receipt_events z WHERE z.receipt = e.receipt AND z.step >= 3);
    IF cardinality(counters) > 0 THEN
        SELECT array_agg(r) INTO receipts FROM (
            SELECT DISTINCT mpower.receipt_id(c.counter_id, years[g.i], numbers[g.i]) AS r
            FROM generate_series(1, cardinality(counters)) g (i) JOIN mpower.counters c ON c.code = counters[g.i]
        ) named WHERE r = ANY (receipts);
        IF sent.kind = 'CASH' OR coalesce(cardinality(receipts), 0) <> cardinality(counters) THEN
            PERFORM mpower.refuse('NOT_ON_SLIP', json_build_object('slip', sent.text,
                'count', (cardinality(counters) - coalesce(cardinality(receipts), 0))::text));
        END IF;
    END IF;
    IF sent.kind = 'CASH' THEN
        SELECT array_agg(-l.account >> 4), array_agg(l.amount_paise) INTO ids, parts FROM mpower.ledger_lines l
            WHERE l.voucher = sent.voucher AND -l.account % 16 = 8;
    ELSE
        SELECT array_agg(p.id), array_agg(p.paise) INTO ids, parts FROM (
            SELECT (r.receipt >> 38)::integer AS id, sum(r.amount_paise)::bigint AS paise FROM mpower.requests r
            WHERE r.receipt = ANY (receipts) GROUP BY 1 ORDER BY 1) p;
    END IF;
    total := (SELECT sum(p) FROM unnest(parts) p);
    IF total <> said THEN
        PERFORM mpower.refuse('CREDIT_AMOUNT', json_build_object('slip', sent.text, 'said', said, 'found', total));
    END IF;
    moved := mpower.post_voucher('REALISE', today, by, array_fill(-2::bigint, ARRAY[cardinality(ids)]),
        ARRAY(SELECT -(id::bigint * 16 + 8) FROM unnest(ids) id), parts);
    INSERT INTO mpower.realisations (slip, value_date, reference, paise, voucher, at, by)
        VALUES (which, value_date, reference, total, moved, now(), by);
    INSERT INTO mpower.receipt_events (receipt, step, state, after, voucher, day, at, by, reason)
        SELECT g.receipt, 3, 'REALISED', 'REMITTED', moved, today, now(), by, reference FROM unnest(receipts) g (receipt);
END
$$;
REVOKE ALL ON FUNCTION mpower.realise_slip_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.realise_slip_v1 TO mpower_officer;
