-- Ask that all receipts of a business date that await verification be verified, of one counter or ('') of all that who asks
-- reaches. Which those are is settled now; money in a bank's suspense has no consumer and is not among them.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.ask_verification_v1(by text, person text, of_date date, counter_code text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    first_id bigint := 0;
    last_id bigint := 9223372036854775807;
    made bigint;
    found integer;
BEGIN
    IF counter_code <> '' THEN
        SELECT c.counter_id::bigint << 38, ((c.counter_id::bigint + 1) << 38) - 1 INTO first_id, last_id
            FROM mpower.counters c WHERE c.code = counter_code;
        IF first_id IS NULL THEN
            PERFORM mpower.refuse('NO_COUNTER', json_build_object('counter', counter_code));
        END IF;
    END IF;
    INSERT INTO mpower.verifications AS v (at, by, person, day, counter, receipts)
        VALUES (now(), by, person, of_date, counter_code, 0) RETURNING v.verification INTO made;
    INSERT INTO mpower.verification_items (verification, place, receipt)
        SELECT made, row_number() OVER (ORDER BY r.receipt), r.receipt FROM mpower.requests r
        JOIN mpower.counters c ON c.counter_id = (r.receipt >> 38)::integer
        WHERE r.day = of_date AND r.receipt BETWEEN first_id AND last_id AND r.consumer IS NOT NULL
            AND (counter_code <> '' OR c.office IN (SELECT mpower.my_offices()))
            AND NOT EXISTS (SELECT FROM mpower.receipt_events e WHERE e.receipt = r.receipt);
    GET DIAGNOSTICS found = ROW_COUNT;
    IF found = 0 THEN
        PERFORM mpower.refuse('NOTHING_TO_VERIFY', json_build_object('counter',
            CASE counter_code WHEN '' THEN '(any)' ELSE counter_code END, 'date', of_date));
    END IF;
    UPDATE mpower.verifications v SET receipts = found WHERE v.verification = made;
    RETURN made;
END
$$;
REVOKE ALL ON FUNCTION mpower.ask_verification_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.ask_verification_v1 TO mpower_officer;
