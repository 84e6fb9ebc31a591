-- Open a business day after every day before it; counters get their series when its financial year is new.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.open_day_v1(date date, by text) RETURNS smallint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
DECLARE
    still date;
    last date;
    year smallint := extract(year FROM open_day_v1.date - interval '3 months');
BEGIN
    PERFORM pg_advisory_xact_lock(77001, 1);
    PERFORM pg_advisory_xact_lock(77001, 2);
    SELECT max(d.day) FILTER (WHERE d.closed_at IS NULL), max(d.day) INTO still, last FROM mpower.days d;
    IF still IS NOT NULL THEN
        PERFORM mpower.refuse('DAY_OPEN', json_build_object('date', still));
    ELSIF open_day_v1.date <= last THEN
        PERFORM mpower.refuse('DAY_ORDER', json_build_object('date', open_day_v1.date, 'last', last));
    END IF;
    INSERT INTO mpower.days (day, financial_year, opened_at, opened_by)
        VALUES (open_day_v1.date, year, now(), open_day_v1.by);
    INSERT INTO mpower.series (counter_id, financial_year) SELECT c.counter_id, year FROM mpower.counters c
        ON CONFLICT DO NOTHING;
    RETURN year;
END
$$;
REVOKE ALL ON FUNCTION mpower.open_day_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.open_day_v1 TO mpower_officer;
