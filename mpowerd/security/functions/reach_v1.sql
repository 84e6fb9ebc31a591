-- Does who has this session reach the office that an object belongs to? '' yes, or there is no such object; else that office.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.reach_v1(token bytea, kind text, name text) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
    WITH belongs (office) AS (
        SELECT c.office FROM mpower.consumers c WHERE reach_v1.kind = 'consumer'
            AND c.consumer = CASE WHEN reach_v1.name ~ '^[0-9]{10}$' THEN reach_v1.name::bigint END
        UNION ALL
        SELECT c.office FROM mpower.counters c WHERE reach_v1.kind IN ('counter', 'receipt')
            AND c.code = split_part(reach_v1.name, '/', 1)
        UNION ALL
        SELECT o.office FROM mpower.offices o WHERE reach_v1.kind = 'office' AND o.office = split_part(reach_v1.name, '/', 1)
    )
    SELECT coalesce((SELECT b.office FROM mpower.who(token) me, belongs b WHERE NOT EXISTS (
        SELECT FROM mpower.seats_of(me.person, me.role) seat WHERE mpower.office_within(b.office, seat))), '')
$$;
REVOKE ALL ON FUNCTION mpower.reach_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.reach_v1 TO mpower_clerk, mpower_officer, mpower_ops;
