-- Keep the bank and the city of cheques as read from the paper. All of them or none.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.sort_instruments_v1(
    counters text[], years smallint[], numbers integer[], banks text[], cities text[], by text
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    today date;
    wrong text;
    put integer;
BEGIN
    SELECT d.day INTO today FROM mpower.open_day() d;
    SELECT g.bank INTO wrong FROM unnest(banks) g (bank) WHERE NOT EXISTS (
        SELECT FROM mpower.masters_v1('banks', today) m WHERE m.key = g.bank) LIMIT 1;
    IF wrong IS NOT NULL THEN
        PERFORM mpower.refuse('NO_BANK', json_build_object('bank', wrong));
    END IF;
    INSERT INTO mpower.sorted_instruments AS i (receipt, bank, city, at, by)
        SELECT r.receipt, banks[g.i], cities[g.i], now(), by
        FROM generate_series(1, cardinality(banks)) g (i) JOIN mpower.counters c ON c.code = counters[g.i]
        JOIN mpower.requests r ON r.receipt = mpower.receipt_id(c.counter_id, years[g.i], numbers[g.i])
        WHERE r.mode = 'CHEQUE' AND NOT EXISTS (SELECT FROM mpower.receipt_events e WHERE e.receipt = r.receipt
            AND (e.step >= 2 OR e.state = 'CANCELLED'))
        ON CONFLICT (receipt) DO UPDATE SET bank = excluded.bank, city = excluded.city,
            at = excluded.at, by = excluded.by;
    GET DIAGNOSTICS put = ROW_COUNT;
    IF put <> cardinality(banks) THEN
        PERFORM mpower.refuse('NOT_TO_SORT', json_build_object('count', (cardinality(banks) - put)::text));
    END IF;
END
$$;
REVOKE ALL ON FUNCTION mpower.sort_instruments_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.sort_instruments_v1 TO mpower_clerk, mpower_officer;
