-- Lend a power one holds in one's own right, from a day's begin to a day's end.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.delegate_v1(
    token bytea, to_person text, power text, first date, last date, most_days integer, reason text
) RETURNS TABLE (delegation bigint, valid_from timestamptz, valid_to timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
#variable_conflict use_column
DECLARE
    me record;
    kept mpower.delegations;
BEGIN
    SELECT * INTO me FROM mpower.who(token);
    IF NOT EXISTS (SELECT FROM mpower.persons p WHERE p.person = to_person) THEN
        PERFORM mpower.refuse('NO_PERSON', json_build_object('person', to_person));
    ELSIF to_person = me.person THEN
        PERFORM mpower.refuse('LENT_TO_SELF', json_build_object('person', to_person));
    ELSIF NOT EXISTS (SELECT FROM mpower.powers p WHERE p.person = me.person
            AND p.power = delegate_v1.power AND p.withdrawn_at IS NULL AND p.ends_at IS NULL) AND NOT (me.role = 'admin'
            AND delegate_v1.power IN ('RIGHTS', 'MASTERS')) THEN
        PERFORM mpower.refuse('NOT_HELD', json_build_object('power', delegate_v1.power));
    ELSIF first < current_date OR last < first OR last - first >= most_days THEN
        PERFORM mpower.refuse('DELEGATION_DATES', json_build_object('days', most_days::text));
    END IF;
    INSERT INTO mpower.delegations AS d (of_person, to_person, power, valid_from, valid_to, reason)
        VALUES (me.person, delegate_v1.to_person, delegate_v1.power, first::timestamptz, (last + 1)::timestamptz,
            delegate_v1.reason)
        RETURNING d.* INTO kept;
    RETURN QUERY SELECT kept.delegation_id::bigint, kept.valid_from, kept.valid_to;
END
$$;
REVOKE ALL ON FUNCTION mpower.delegate_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.delegate_v1 TO mpower_officer, mpower_admin;
