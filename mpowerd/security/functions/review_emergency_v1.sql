-- Settle an emergency power that is over: a person who neither gave nor held it has seen what was decided with it.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.review_emergency_v1(token bytea, which integer, remark text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    me record;
    p mpower.powers;
BEGIN
    SELECT * INTO me FROM mpower.who(token);
    SELECT * INTO p FROM mpower.powers s WHERE s.power_id = which AND s.ends_at IS NOT NULL FOR UPDATE;
    IF p.power_id IS NULL THEN
        PERFORM mpower.refuse('NO_EMERGENCY', json_build_object('power_id', which::text));
    ELSIF me.person = ANY (p.given_by || p.person) THEN
        PERFORM mpower.refuse('OWN_EMERGENCY', json_build_object('power_id', which::text));
    ELSIF least(p.ends_at, p.withdrawn_at) > now() THEN
        PERFORM mpower.refuse('EMERGENCY_STANDS', json_build_object('power_id', which::text));
    ELSIF p.reviewed_at IS NOT NULL THEN
        PERFORM mpower.refuse('EMERGENCY_REVIEWED', json_build_object('power_id', which::text, 'person', p.reviewed_by));
    END IF;
    UPDATE mpower.powers s SET reviewed_at = now(), reviewed_by = me.person, review = remark WHERE s.power_id = which;
END
$$;
REVOKE ALL ON FUNCTION mpower.review_emergency_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.review_emergency_v1 TO mpower_admin, mpower_ops;
