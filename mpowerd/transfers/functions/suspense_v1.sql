-- The lines of a bank that found no consumer and have not been matched, oldest first, after a receipt (0: from the first).

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.suspense_v1(bank text, after bigint, most integer)
RETURNS TABLE (receipt bigint, number text, day date, reference text, said text, value_date date, paise bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT r.receipt, mpower.receipt_text(r.counter, r.receipt), r.day, r.instrument, coalesce(l.consumer, ''),
        coalesce(l.value_date, r.day), r.amount_paise
    FROM mpower.counters c JOIN mpower.requests r ON r.receipt > greatest(suspense_v1.after, c.counter_id::bigint << 38)
        AND r.receipt < (c.counter_id::bigint + 1) << 38 AND r.consumer IS NULL
    LEFT JOIN mpower.scroll_lines l ON l.counter_id = c.counter_id AND l.reference = r.instrument
    WHERE c.code = bank AND NOT EXISTS (SELECT FROM mpower.receipt_events e WHERE e.receipt = r.receipt)
    ORDER BY r.receipt LIMIT most + 1
$$;
REVOKE ALL ON FUNCTION mpower.suspense_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.suspense_v1 TO mpower_officer;
