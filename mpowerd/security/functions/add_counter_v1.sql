-- Add a counter or a bank link with its in-hand accounts (a bank's suspense among them) and its series of this year.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.add_counter_v1(code text, office text, kind text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
DECLARE
    id integer;
BEGIN
    PERFORM pg_advisory_xact_lock(77001, 2);  -- opening a day gives series to the counters there are
    IF EXISTS (SELECT FROM mpower.counters c WHERE c.code = add_counter_v1.code) THEN
        PERFORM mpower.refuse('COUNTER_EXISTS', json_build_object('counter', code));
    ELSIF NOT EXISTS (SELECT FROM mpower.offices o WHERE o.office = add_counter_v1.office) THEN
        PERFORM mpower.refuse('NO_OFFICE', json_build_object('office', office));
    END IF;
    INSERT INTO mpower.counters (code, office, kind)
        VALUES (add_counter_v1.code, add_counter_v1.office, add_counter_v1.kind) RETURNING counter_id INTO id;
    INSERT INTO mpower.accounts (account)
        SELECT -(id::bigint * 16 + slot) FROM unnest(ARRAY[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15]) slot;
    INSERT INTO mpower.series (counter_id, financial_year)
        SELECT id, d.financial_year FROM mpower.days d WHERE d.closed_at IS NULL;
END
$$;
REVOKE ALL ON FUNCTION mpower.add_counter_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.add_counter_v1 TO mpower_admin;
