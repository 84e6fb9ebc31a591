-- How an object of a keyed operation stands, for its audit entry: asked before the work and after it, in one transaction.
-- A JSON object of texts, {} where there is no such object. No secret is in it.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.object_v1(kind text, name text) RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    found json;
    digits CONSTANT bigint := CASE WHEN name ~ '^[0-9]{1,18}$' THEN name::bigint END;
BEGIN
    CASE kind
        WHEN 'user' THEN
            SELECT json_build_object('person', u.person, 'role', u.role, 'disabled', coalesce(u.disabled_why, ''))
                INTO found FROM mpower.users u WHERE u.name = name;
        WHEN 'person' THEN
            SELECT json_build_object('name', p.name, 'designation', p.designation, 'office', p.office)
                INTO found FROM mpower.persons p WHERE p.person = name;
        WHEN 'power' THEN
            SELECT json_build_object('person', p.person, 'power', p.power, 'office', p.office, 'withdrawn',
                coalesce(p.withdrawn_at::text, ''), 'reviewed', coalesce(p.reviewed_by, '')) INTO found FROM mpower.powers p WHERE p.power_id = digits;
        WHEN 'counter' THEN
            SELECT json_build_object('office', c.office, 'kind', c.kind, 'closed', c.closed::text)
                INTO found FROM mpower.counters c WHERE c.code = name;
        WHEN 'day' THEN
            SELECT json_build_object('state', CASE WHEN d.closed_at IS NULL THEN 'OPEN' ELSE 'CLOSED' END)
                INTO found FROM mpower.days d WHERE d.day::text = name;
        WHEN 'receipt' THEN
            SELECT json_build_object('state', coalesce(
                    (SELECT e.state FROM mpower.receipt_events e WHERE e.receipt = r.receipt ORDER BY e.step DESC LIMIT 1),
                    'TAKEN'))
                INTO found FROM mpower.counters c JOIN mpower.requests r ON r.receipt = mpower.receipt_id(c.counter_id,
                    split_part(split_part(name, '/', 2), '-', 1)::smallint, split_part(name, '/', 3)::integer)
                WHERE c.code = split_part(name, '/', 1) AND name ~ '^[^/]+/[0-9]{4}-[0-9]{2}/[0-9]{1,9}$';
        WHEN 'request' THEN
            SELECT json_build_object('operation', a.operation, 'object', a.object, 'state', a.state, 'version',
                a.version::text) INTO found FROM mpower.approvals a WHERE a.request = digits;
        WHEN 'consumer' THEN
            SELECT json_build_object('name', c.name, 'address', c.address, 'category', c.category, 'mobile', c.mobile,
                'sanctioned_load_w', c.sanctioned_load_w::text, 'office', c.office) INTO found FROM mpower.consumers c
                WHERE c.consumer = digits;
        WHEN 'certificate' THEN
            SELECT json_build_object('of', r.subject, 'state', r.state) INTO found FROM mpower.certificate_requests r
                WHERE r.request_id = digits OR r.digest = CASE WHEN name ~ '^[0-9a-f]{64}$' THEN decode(name, 'hex') END;
        WHEN 'delegation' THEN
            SELECT json_build_object('to', d.to_person, 'power', d.power, 'ended', coalesce(d.ended_at::text, ''))
                INTO found FROM mpower.delegations d WHERE d.delegation_id = digits;
    END CASE;
    RETURN coalesce(found, '{}');
END
$$;
REVOKE ALL ON FUNCTION mpower.object_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.object_v1
    TO mpower_clerk, mpower_officer, mpower_ops, mpower_bank, mpower_terminal, mpower_admin;
