-- Post the lines of a scroll: each a receipt of the bank's series, credited to its consumer, or to the bank's suspense
-- when the consumer (-1 or unknown) is not ours. All lines or none; a reference counts once for ever, and makes the key of
-- its receipt.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.post_scroll_v1(
    chain integer, bank text, actor text, address text, scroll text, part integer, fingerprint bytea,
    reference text[], consumer_text text[], consumer bigint[], paise bigint[], value_date date[]
) RETURNS TABLE (place integer, number text, matched boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    n CONSTANT integer := cardinality(reference);
    bank_id integer;
    today date;
    year smallint;
    known record;
    receipts bigint[];
    ours boolean[];
BEGIN
    SELECT d.day, d.financial_year INTO today, year FROM mpower.open_day() d;
    SELECT c.counter_id INTO bank_id FROM mpower.counters c WHERE c.code = bank AND c.kind = 'BANK' AND NOT c.closed;
    IF bank_id IS NULL THEN
        PERFORM mpower.refuse('NO_COUNTER', json_build_object('counter', bank));
    END IF;
    SELECT l.reference, l.scroll INTO known FROM mpower.scroll_lines l
        WHERE l.counter_id = bank_id AND l.reference = ANY (reference) LIMIT 1;
    IF known.reference IS NOT NULL THEN
        PERFORM mpower.refuse('REFERENCE_KNOWN', json_build_object('reference', known.reference, 'scroll', known.scroll));
    END IF;
    SELECT array_agg(p.receipt ORDER BY p.place), array_agg(p.ours ORDER BY p.place) INTO receipts, ours
        FROM mpower.post_lines(chain, bank_id, today, year, NULL, actor, address, 'banking.post', fingerprint, reference,
            consumer, paise, array_fill(6, ARRAY[n]), array_fill('TRANSFER'::text, ARRAY[n]), reference) p;
    INSERT INTO mpower.scroll_lines (counter_id, reference, scroll, part, line, consumer, value_date, receipt)
        SELECT bank_id, reference[g.i], scroll, part, g.i, consumer_text[g.i], value_date[g.i], receipts[g.i]
        FROM generate_series(1, n) g (i);
    RETURN QUERY SELECT g.i, mpower.receipt_text(bank, receipts[g.i]), ours[g.i]
        FROM generate_series(1, n) g (i) ORDER BY g.i;
END
$$;
REVOKE ALL ON FUNCTION mpower.post_scroll_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.post_scroll_v1 TO mpower_bank;
