-- A clerk's receipts of the open day at one counter, newest first: `most` of them, with count and total of all.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.my_receipts_v1(counter_code text, clerk text, most integer)
RETURNS TABLE (number text, day date, at timestamptz, consumer text, name text, amount_paise bigint, mode text,
    instrument text, purpose text, actor text, state text, of_count bigint, of_paise bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
#variable_conflict use_column
DECLARE
    open_on date;
    first_id bigint;
    last_id bigint;
BEGIN
    SELECT d.day, mpower.receipt_id(c.counter_id, d.financial_year, 0),
        mpower.receipt_id(c.counter_id, d.financial_year, 999999999)
        INTO open_on, first_id, last_id
        FROM mpower.days d, mpower.counters c WHERE d.closed_at IS NULL AND c.code = counter_code;
    -- Numbers of a series rise with the days: the receipts before this day end where the last of another day stands.
    SELECT coalesce(max(b.receipt), first_id) INTO first_id FROM (
        SELECT r.receipt FROM mpower.requests r
        WHERE r.receipt BETWEEN first_id AND last_id AND r.day < open_on ORDER BY r.receipt DESC LIMIT 1) b;
    RETURN QUERY
        SELECT mpower.receipt_text(r.counter, r.receipt), r.day, r.at, lpad(r.consumer::text, 10, '0'), r.name,
            r.amount_paise, r.mode, r.instrument, r.purpose, r.actor, coalesce(e.state, 'TAKEN'), count(*) OVER (),
            coalesce(sum(r.amount_paise) FILTER (WHERE e.state IS DISTINCT FROM 'CANCELLED') OVER (), 0)::bigint
        FROM mpower.requests r LEFT JOIN mpower.receipt_events e ON e.receipt = r.receipt AND e.step = 1
        WHERE r.receipt BETWEEN first_id AND last_id AND r.day = open_on AND r.actor = clerk
        ORDER BY r.receipt DESC LIMIT most;
END
$$;
REVOKE ALL ON FUNCTION mpower.my_receipts_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.my_receipts_v1 TO mpower_clerk;
