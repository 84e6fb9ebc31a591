-- Does a verification wait to be carried on? The daemon itself asks, in no role.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.verifications_wait_v1() RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT EXISTS (SELECT FROM mpower.verifications v WHERE v.state = 'OPEN')
        AND EXISTS (SELECT FROM mpower.days d WHERE d.closed_at IS NULL)
$$;
REVOKE ALL ON FUNCTION mpower.verifications_wait_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.verifications_wait_v1 TO mpower_app;
