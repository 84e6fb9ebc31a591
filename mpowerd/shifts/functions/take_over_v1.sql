-- Take a held shift over as it was offered: it ends as its clerk counted it, and the next begins with all that lies in the
-- till. The number of the next.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.take_over_v1(which integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
DECLARE
    offer mpower.hand_overs;
    ended mpower.shifts;
    clerk text;
BEGIN
    SELECT * INTO offer FROM mpower.hand_overs o WHERE o.shift = which ORDER BY o.hand_over DESC LIMIT 1;
    SELECT u.name INTO clerk FROM mpower.shifts s JOIN mpower.users u USING (user_id) WHERE s.shift = which;
    ended := mpower.end_shift(which, clerk, offer.cash, offer.counted_paise, offer.expected_paise, offer.reason,
        carried => true);
    RETURN mpower.begin_shift(ended.counter_id, ended.day, ended.financial_year, offer.to_user, ended.float_cash,
        ended.float_paise, offer.counted_paise - ended.float_paise, which);
END
$$;
REVOKE ALL ON FUNCTION mpower.take_over_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.take_over_v1 TO mpower_clerk;
