-- A receipt as it was printed, for a duplicate: of this counter only, and not one that was cancelled or taken back.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.receipt_again_v1(at_counter text, counter_code text, year smallint, running integer)
RETURNS TABLE (number text, day date, at timestamptz, consumer text, name text, amount_paise bigint, mode text,
    instrument text, purpose text, actor text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
#variable_conflict use_column
DECLARE
    wanted bigint;
BEGIN
    SELECT r.receipt INTO wanted FROM mpower.counters c JOIN mpower.requests r
        ON r.receipt = mpower.receipt_id(c.counter_id, year, running)
        WHERE c.code = counter_code AND counter_code = at_counter;
    IF wanted IS NULL THEN
        RETURN;
    END IF;
    IF EXISTS (SELECT FROM mpower.receipt_events e WHERE e.receipt = wanted AND e.state = 'CANCELLED') THEN
        PERFORM mpower.refuse('RECEIPT_CANCELLED', json_build_object('receipt', mpower.receipt_text(counter_code, wanted)));
    END IF;
    IF EXISTS (SELECT FROM mpower.receipt_events e WHERE e.receipt = wanted AND e.state = 'DISHONOURED') THEN
        PERFORM mpower.refuse('DISHONOURED_ALREADY', json_build_object('receipt',
            mpower.receipt_text(counter_code, wanted)));
    END IF;
    RETURN QUERY
        SELECT mpower.receipt_text(r.counter, r.receipt), r.day, r.at, lpad(r.consumer::text, 10, '0'), r.name,
            r.amount_paise, r.mode, r.instrument, r.purpose, r.actor
        FROM mpower.requests r WHERE r.receipt = wanted;
END
$$;
REVOKE ALL ON FUNCTION mpower.receipt_again_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.receipt_again_v1 TO mpower_clerk;
