-- Enter leaves of a held book and explain spoilt ones: they go on from the first that is not accounted for, without a gap
-- (the caller has seen to that). The entry is a shift that was over before: its cash is in the strong room.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.enter_leaves_v1(
    chain integer, code text, actor text, address text, fingerprint bytea,
    leaves integer[], dates date[], consumer_texts text[], consumers bigint[], paise bigint[], modes text[], slots integer[],
    instruments text[], contents bytea[], spoilt integer[], reasons text[]
) RETURNS TABLE (leaf integer, receipt text, ours boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    n CONSTANT integer := cardinality(leaves);
    held mpower.receipt_books := mpower.hold_book(code);
    today date;
    year smallint;
    late date;
    who integer;
    receipts bigint[];
    known boolean[];
    cash bigint;
    first integer;
BEGIN
    SELECT d.day, d.financial_year INTO today, year FROM mpower.open_day() d;
    SELECT g.day INTO late FROM unnest(dates) g (day) WHERE g.day > today LIMIT 1;
    IF late IS NOT NULL THEN
        PERFORM mpower.refuse('LEAF_AHEAD', json_build_object('date', late, 'day', today));
    END IF;
    INSERT INTO mpower.paper_leaves (counter_id, leaf, spoilt, at, by)
        SELECT held.counter_id, g.leaf, g.reason, now(), actor FROM unnest(spoilt, reasons) g (leaf, reason);
    UPDATE mpower.receipt_books b SET next_leaf = b.next_leaf + n + cardinality(spoilt)
        WHERE b.counter_id = held.counter_id;
    IF n = 0 THEN
        RETURN;
    END IF;
    SELECT u.user_id INTO who FROM mpower.users u WHERE u.name = actor;
    PERFORM mpower.must_not_be_own(u.person, g.consumer) FROM mpower.users u, unnest(consumers) g (consumer)
        WHERE u.user_id = who;
    SELECT s.last_number INTO first FROM mpower.series s
        WHERE s.counter_id = held.counter_id AND s.financial_year = year FOR UPDATE;
    SELECT array_agg(p.receipt ORDER BY p.place), array_agg(p.ours ORDER BY p.place) INTO receipts, known
        FROM mpower.post_lines(chain, held.counter_id, today, year, who, actor, address, 'receipt_books.enter', fingerprint,
            ARRAY(SELECT 'leaf ' || l FROM unnest(leaves) l), consumers, paise, slots, modes, instruments) p;
    INSERT INTO mpower.paper_leaves (counter_id, leaf, receipt, written_on, consumer, content, at, by)
        SELECT held.counter_id, leaves[g.i], receipts[g.i], dates[g.i], consumer_texts[g.i], contents[g.i], now(), actor
        FROM generate_series(1, n) g (i);
    cash := coalesce((SELECT sum(paise[g.i]) FROM generate_series(1, n) g (i) WHERE modes[g.i] = 'CASH'), 0);
    INSERT INTO mpower.shifts (counter_id, day, financial_year, user_id, opened_at, first_number, float_cash, float_paise,
            carried_paise, closed_at, closed_by, last_number, counted_cash, counted_paise, expected_paise, handed_paise, reason)
        VALUES (held.counter_id, today, year, who, now(), first, '', 0, 0, now(), actor, first + n, '', cash, cash, cash,
            'entered from the book');
    RETURN QUERY SELECT leaves[g.i], mpower.receipt_text(code, receipts[g.i]), known[g.i]
        FROM generate_series(1, n) g (i) ORDER BY g.i;
END
$$;
REVOKE ALL ON FUNCTION mpower.enter_leaves_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.enter_leaves_v1 TO mpower_clerk, mpower_officer;
