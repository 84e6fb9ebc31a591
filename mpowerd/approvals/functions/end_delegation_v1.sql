-- Take a lent power back now: who lent it, alone.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.end_delegation_v1(token bytea, delegation bigint)
RETURNS TABLE (to_person text, power text, valid_from timestamptz, valid_to timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
#variable_conflict use_column
DECLARE
    me record;
    kept mpower.delegations;
BEGIN
    SELECT * INTO me FROM mpower.who(token);
    UPDATE mpower.delegations d SET ended_at = coalesce(d.ended_at, now())
        WHERE d.delegation_id = end_delegation_v1.delegation AND d.of_person = me.person RETURNING d.* INTO kept;
    IF kept.delegation_id IS NULL THEN
        PERFORM mpower.refuse('NO_DELEGATION', json_build_object('delegation', delegation::text));
    END IF;
    RETURN QUERY SELECT kept.to_person, kept.power, kept.valid_from, kept.ended_at;
END
$$;
REVOKE ALL ON FUNCTION mpower.end_delegation_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.end_delegation_v1 TO mpower_officer, mpower_admin;
