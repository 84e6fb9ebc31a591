-- Post the lines of a scroll: each a receipt of the bank's series, credited to its consumer, or to the bank's suspense
-- when the consumer (-1 or unknown) is not ours. All lines or none; a reference counts once for ever. Each line's receipt
-- has a key of its own, made of the reference, with the sequence 0 that the wire never carries.

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
    last integer;
    link bigint;
    previous bytea;
    hash bytea;
    marks integer[];
    ours bigint[];
    before bigint[];
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
    UPDATE mpower.series s SET last_number = s.last_number + n
        WHERE s.counter_id = bank_id AND s.financial_year = year RETURNING s.last_number - n INTO last;
    ASSERT last IS NOT NULL, 'the bank has no series in the open financial year';
    PERFORM FROM mpower.accounts a WHERE a.account IN (SELECT u.number * 16 FROM unnest(consumer) u (number))
        ORDER BY a.account FOR UPDATE;
    SELECT l.link, l.previous INTO link, previous FROM mpower.next_link(chain) l;
    -- A consumer's number where the line is ours, else null; and the receipt before this one of the same consumer.
    SELECT array_agg(x.ours ORDER BY x.place), array_agg(x.before ORDER BY x.place) INTO ours, before FROM (
        SELECT g.i AS place, c.consumer AS ours, CASE WHEN c.consumer IS NOT NULL THEN coalesce(
            mpower.receipt_id(bank_id, year, last + lag(g.i) OVER (PARTITION BY c.consumer ORDER BY g.i)),
            a.last_receipt) END AS before
        FROM generate_series(1, n) g (i) LEFT JOIN mpower.consumers c ON c.consumer = consumer[g.i]
        LEFT JOIN mpower.accounts a ON a.account = c.consumer * 16) x;
    WITH kept AS (
        INSERT INTO mpower.requests (counter, client, sequence, at, link, receipt, previous_receipt, consumer,
            amount_paise, day, position, fingerprint, operation, actor, address, mode, instrument, purpose, name)
        SELECT bank, encode(substring(sha256(convert_to(reference[g.i], 'UTF8')) FOR 16), 'hex')::uuid, 0, now(), link,
            mpower.receipt_id(bank_id, year, last + g.i), before[g.i], ours[g.i], paise[g.i], today, g.i, fingerprint,
            'banking.post', actor, address, 'TRANSFER', reference[g.i], 'DUES',
            (SELECT c.name FROM mpower.consumers c WHERE c.consumer = ours[g.i])
        FROM generate_series(1, n) g (i)
        RETURNING requests.position, mpower.request_evidence(requests) AS evidence)
    SELECT sha256(previous || string_agg(kept.evidence, ''::bytea ORDER BY kept.position)),
        array_agg(hash_record(ROW(kept.evidence)) ORDER BY kept.position) INTO hash, marks FROM kept;
    INSERT INTO mpower.audit_links (link, at, term, covers, previous, hash, marks)
        SELECT link, now(), f.term, n, previous, hash, marks FROM cluster.fence f;
    INSERT INTO mpower.scroll_lines (counter_id, reference, scroll, part, line, consumer, value_date, receipt)
        SELECT bank_id, reference[g.i], scroll, part, g.i, consumer_text[g.i], value_date[g.i],
            mpower.receipt_id(bank_id, year, last + g.i) FROM generate_series(1, n) g (i);
    INSERT INTO mpower.entries (voucher, debit, credit, amount_paise, line)
        SELECT mpower.receipt_id(bank_id, year, last + g.i), -(bank_id::bigint * 16 + 6),
            coalesce(ours[g.i] * 16, -(bank_id::bigint * 16 + 15)), paise[g.i], 1 FROM generate_series(1, n) g (i);
    UPDATE mpower.accounts a SET balance_paise = a.balance_paise - t.paise,
            last_receipt = CASE WHEN a.account >= 0 THEN mpower.receipt_id(bank_id, year, last + t.newest) ELSE 0 END,
            last_day = CASE WHEN a.account >= 0 THEN today END
        FROM (SELECT coalesce(ours[g.i] * 16, -(bank_id::bigint * 16 + 15)) AS account, sum(paise[g.i]) AS paise,
                max(g.i) AS newest FROM generate_series(1, n) g (i) GROUP BY 1) t
        WHERE a.account = t.account;
    UPDATE mpower.accounts a SET balance_paise = a.balance_paise + (SELECT sum(p) FROM unnest(paise) p)
        WHERE a.account = -(bank_id::bigint * 16 + 6);
    RETURN QUERY SELECT g.i, mpower.receipt_text(bank, mpower.receipt_id(bank_id, year, last + g.i)), ours[g.i] IS NOT NULL
        FROM generate_series(1, n) g (i) ORDER BY g.i;
END
$$;
REVOKE ALL ON FUNCTION mpower.post_scroll_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.post_scroll_v1 TO mpower_bank;
