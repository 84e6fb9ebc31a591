-- The first `most` receipts of a counter's business date that are to be verified (and one more, if there are more), or those
-- named by year and number, whatever became of them; with all that their verification needs. The consumers' accounts are locked, in order, until the posting.
-- Money in a bank's suspense has no consumer and is not verified.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.unverified_v1(counter_code text, of_day date, years smallint[], numbers integer[], most integer)
RETURNS TABLE (receipt bigint, number text, day date, state text, person text, consumer bigint, amount_paise bigint,
    purpose text, allocation text, slots integer[], balances bigint[], owners text[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
#variable_conflict use_column
DECLARE
    wanted bigint[];
BEGIN
    IF NOT EXISTS (SELECT FROM mpower.counters c WHERE c.code = counter_code) THEN
        PERFORM mpower.refuse('NO_COUNTER', json_build_object('counter', counter_code));
    END IF;
    wanted := CASE WHEN years IS NOT NULL THEN ARRAY(
        SELECT mpower.receipt_id(c.counter_id, years[g.i], numbers[g.i])
        FROM mpower.counters c, generate_series(1, cardinality(years)) g (i) WHERE c.code = counter_code)
        ELSE ARRAY(
        SELECT r.receipt FROM mpower.requests r, mpower.counters c
        WHERE c.code = counter_code AND r.day = of_day AND r.consumer IS NOT NULL
            AND r.receipt > (c.counter_id::bigint << 38) AND r.receipt < (c.counter_id::bigint + 1) << 38
            AND NOT EXISTS (SELECT FROM mpower.receipt_events e WHERE e.receipt = r.receipt)
        ORDER BY r.receipt LIMIT most + 1) END;
    PERFORM FROM mpower.accounts a WHERE a.account IN (
        SELECT r.consumer * 16 FROM mpower.requests r WHERE r.receipt = ANY (wanted)) ORDER BY a.account FOR UPDATE;
    RETURN QUERY
        SELECT v.receipt, v.number, v.day, v.state, v.person, v.consumer, v.amount_paise, v.purpose, v.allocation, v.slots,
            v.balances, v.owners FROM mpower.to_verify(wanted) v ORDER BY v.receipt;
END
$$;
REVOKE ALL ON FUNCTION mpower.unverified_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.unverified_v1 TO mpower_officer;
