-- Open a clerk's shift at a counter with a float: from now on its series gives numbers out to that clerk.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.open_shift_v1(counter_code text, clerk text, float_cash text, float_paise bigint) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
DECLARE
    today record;
    counter integer;
    who integer;
    lent mpower.series;
    opened integer;
BEGIN
    SELECT d.day, d.financial_year INTO today FROM mpower.open_day() d;
    SELECT c.counter_id INTO counter FROM mpower.counters c
        WHERE c.code = counter_code AND c.kind = 'COUNTER' AND NOT c.closed;
    IF counter IS NULL THEN
        PERFORM mpower.refuse('NO_COUNTER', json_build_object('counter', counter_code));
    END IF;
    SELECT u.user_id INTO who FROM mpower.users u WHERE u.name = clerk;
    SELECT * INTO lent FROM mpower.series s
        WHERE s.counter_id = counter AND s.financial_year = today.financial_year FOR UPDATE;
    IF lent.clerk = who THEN
        PERFORM mpower.refuse('SHIFT_OPEN', json_build_object('counter', counter_code));
    ELSIF lent.shift IS NOT NULL THEN
        PERFORM mpower.refuse('SHIFT_OF_ANOTHER', json_build_object('counter', counter_code));
    END IF;
    opened := mpower.begin_shift(counter, today.day, today.financial_year, who, float_cash, float_paise, 0, NULL);
    PERFORM mpower.post_voucher('FLOAT', today.day, clerk, ARRAY[-(counter::bigint * 16 + 1)],
        ARRAY[-(counter::bigint * 16 + 10)], ARRAY[float_paise]);
    RETURN opened;
END
$$;
REVOKE ALL ON FUNCTION mpower.open_shift_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.open_shift_v1 TO mpower_clerk;
