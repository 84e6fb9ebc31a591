-- Close the open day of that date, after whoever is adding to it now, and not while a counter's shift is open. Receipts that
-- a verification could not post, of whatever day, are named first: `confirmed` leaves them as they are.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.close_day_v1(date date, by text, confirmed boolean) RETURNS smallint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
DECLARE
    found mpower.days;
    still text;
    failed text;
    other date;
BEGIN
    PERFORM pg_advisory_xact_lock(77001, 1);
    SELECT * INTO found FROM mpower.days d WHERE d.day = close_day_v1.date;
    IF found.day IS NULL THEN
        SELECT d.day INTO other FROM mpower.days d WHERE d.closed_at IS NULL;
        IF other IS NOT NULL THEN
            PERFORM mpower.refuse('DAY_OTHER', json_build_object('date', close_day_v1.date, 'open', other));
        END IF;
        PERFORM mpower.refuse('DAY_NOT_OPEN');
    ELSIF found.closed_at IS NOT NULL THEN
        PERFORM mpower.refuse('DAY_CLOSED', json_build_object('date', found.day));
    END IF;
    SELECT string_agg(format('%s (%s)', c.code, u.name), ', ' ORDER BY c.code) INTO still FROM mpower.shifts s
        JOIN mpower.counters c USING (counter_id) JOIN mpower.users u USING (user_id) WHERE s.closed_at IS NULL;
    IF still IS NOT NULL THEN
        PERFORM mpower.refuse('SHIFTS_OPEN', json_build_object('date', found.day, 'counters', still));
    END IF;
    SELECT string_agg(format('%s (verification %s)', f.number, f.verification), ', ' ORDER BY f.n) FILTER (WHERE f.n <= 10)
            || CASE WHEN count(*) > 10 THEN format(' and %s more', count(*) - 10) ELSE '' END INTO failed
        FROM (SELECT mpower.receipt_text(r.counter, r.receipt) AS number, max(i.verification) AS verification,
                row_number() OVER (ORDER BY r.receipt) AS n
            FROM mpower.verification_items i JOIN mpower.requests r USING (receipt)
            WHERE i.outcome = 'FAILED' AND NOT EXISTS (SELECT FROM mpower.receipt_events e WHERE e.receipt = i.receipt)
            GROUP BY r.counter, r.receipt) f;
    IF failed IS NOT NULL AND NOT confirmed THEN
        PERFORM mpower.refuse('RECEIPTS_FAILED', json_build_object('date', found.day, 'receipts', failed));
    END IF;
    UPDATE mpower.days d SET closed_at = now(), closed_by = close_day_v1.by WHERE d.day = close_day_v1.date;
    RETURN found.financial_year;
END
$$;
REVOKE ALL ON FUNCTION mpower.close_day_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.close_day_v1 TO mpower_officer;
