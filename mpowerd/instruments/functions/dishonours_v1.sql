-- The instruments of a consumer that came back, newest first.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.dishonours_v1(whom bigint) RETURNS TABLE (receipt text, mode text, instrument text,
    amount_paise bigint, returned_on date, why text, charge_paise bigint, surcharge_paise bigint, barred_until date,
    notice text, by text, at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT mpower.receipt_text(r.counter, r.receipt), r.mode, r.instrument, r.amount_paise, d.returned_on, d.why,
        d.charge_paise, d.surcharge_paise, d.barred_until, d.notice, d.by, d.at
    FROM mpower.dishonours d JOIN mpower.requests r ON r.receipt = d.receipt
    WHERE d.consumer = whom ORDER BY d.at DESC, d.receipt DESC LIMIT 100
$$;
REVOKE ALL ON FUNCTION mpower.dishonours_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.dishonours_v1 TO mpower_clerk, mpower_officer;
