-- Offer a held shift, as its clerk counted it, to another clerk: refused unless that is one, and another person.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.hand_over_v1(
    which integer, whom text, person text, cash text, counted bigint, expected bigint, reason text
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    next mpower.users;
BEGIN
    SELECT * INTO next FROM mpower.users u WHERE u.name = whom AND u.disabled_at IS NULL;
    IF next.user_id IS NULL OR next.role <> 'clerk' THEN
        PERFORM mpower.refuse('NO_CLERK', json_build_object('user', whom));
    ELSIF next.person = person THEN
        PERFORM mpower.refuse('SAME_PERSON', json_build_object('user', whom));
    END IF;
    INSERT INTO mpower.hand_overs (shift, to_user, at, last_number, cash, counted_paise, expected_paise, reason,
            gone)
        SELECT which, next.user_id, now(), z.last_number, cash, counted, expected, reason,
            (SELECT count(*) FROM mpower.shift_receipts x WHERE x.shift = which AND (x.cancelled OR x.returned))
        FROM mpower.series z WHERE z.shift = which;
END
$$;
REVOKE ALL ON FUNCTION mpower.hand_over_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.hand_over_v1 TO mpower_clerk;
