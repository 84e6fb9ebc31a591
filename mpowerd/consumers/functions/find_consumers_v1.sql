-- Find consumers by number, meter, mobile or the beginning of the name. One more than `most`, so that more can be told.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.find_consumers_v1(by text, wanted text, most integer)
RETURNS TABLE (consumer text, name text, address text, category text, meter text, mobile text, sanctioned_load_w bigint,
    due_paise bigint, office text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
#variable_conflict use_column
DECLARE
    found bigint[];
    start text COLLATE "C" := lower(wanted);
BEGIN
    IF by = 'number' THEN
        found := CASE WHEN wanted ~ '^[0-9]{10}$' THEN ARRAY[wanted::bigint] ELSE '{}' END;
    ELSIF by = 'meter' THEN
        found := ARRAY(SELECT c.consumer FROM mpower.consumers c WHERE c.meter = wanted AND c.meter <> ''
            LIMIT most + 1);
    ELSIF by = 'mobile' THEN
        found := ARRAY(SELECT c.consumer FROM mpower.consumers c WHERE c.mobile = wanted AND c.mobile <> ''
            LIMIT most + 1);
    ELSE
        found := ARRAY(SELECT c.consumer FROM mpower.consumers c
            WHERE lower(c.name) COLLATE "C" >= start AND lower(c.name) COLLATE "C" < start || U&'\+10FFFF'
            ORDER BY lower(c.name) COLLATE "C", c.consumer LIMIT most + 1);
    END IF;
    RETURN QUERY
        SELECT lpad(c.consumer::text, 10, '0'), c.name, c.address, c.category, c.meter, c.mobile, c.sanctioned_load_w,
            a.owed_paise, c.office
        FROM unnest(found) WITH ORDINALITY f (consumer, place) JOIN mpower.consumers c ON c.consumer = f.consumer
        JOIN mpower.accounts a ON a.account = c.consumer * 16
        ORDER BY f.place;
END
$$;
REVOKE ALL ON FUNCTION mpower.find_consumers_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.find_consumers_v1 TO mpower_clerk, mpower_officer;
