-- The next receipts of the oldest verification that is open, all of one counter, with who took them and what stands under the consumers' heads.
-- It and the consumers' accounts are locked until the step is noted. Whoever asked must still be an officer: else it stops.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.verification_step_v1(most integer)
RETURNS TABLE (verification bigint, by text, asked_by text, place integer, receipt bigint, number text, day date, state text,
    person text, consumer bigint, amount_paise bigint, purpose text, allocation text, slots integer[], balances bigint[], owners text[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
#variable_conflict use_column
DECLARE
    mine mpower.verifications;
    wanted bigint[];
BEGIN
    SELECT v.* INTO mine FROM mpower.verifications v WHERE v.state = 'OPEN' ORDER BY v.verification LIMIT 1 FOR UPDATE;
    IF mine.verification IS NULL THEN
        RETURN;
    END IF;
    IF NOT EXISTS (SELECT FROM mpower.users u WHERE u.name = mine."by" AND u.role = 'officer' AND u.disabled_at IS NULL) THEN
        UPDATE mpower.verifications v SET state = 'STOPPED', why = mine."by" || ' is not an officer any more'
            WHERE v.verification = mine.verification;
        RETURN;
    END IF;
    wanted := ARRAY(SELECT i.receipt FROM mpower.verification_items i JOIN mpower.verification_items f
            ON f.verification = i.verification AND f.place = mine.done + 1 AND f.receipt >> 38 = i.receipt >> 38
        WHERE i.verification = mine.verification AND i.place > mine.done AND i.place <= mine.done + most ORDER BY i.place);
    PERFORM FROM mpower.accounts a WHERE a.account IN (
        SELECT r.consumer * 16 FROM mpower.requests r WHERE r.receipt = ANY (wanted)) ORDER BY a.account FOR UPDATE;
    RETURN QUERY
        SELECT mine.verification, mine."by", mine.person, mine.done + v.place, v.receipt, v.number, v.day, v.state, v.person,
            v.consumer, v.amount_paise, v.purpose, v.allocation, v.slots, v.balances, v.owners
        FROM mpower.to_verify(wanted) v ORDER BY v.place;
END
$$;
REVOKE ALL ON FUNCTION mpower.verification_step_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.verification_step_v1 TO mpower_officer;
