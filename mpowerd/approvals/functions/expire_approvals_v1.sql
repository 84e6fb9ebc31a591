-- Mark requests whose time ran out, in whichever office; how many. Nobody asks: mpower_board does it.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.expire_approvals_v1(most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
DECLARE
    r mpower.approvals;
    marked integer := 0;
BEGIN
    FOR r IN SELECT * FROM mpower.approvals a WHERE a.state IN ('PENDING', 'RETURNED') AND a.due_at <= now()
            ORDER BY a.due_at LIMIT most FOR UPDATE SKIP LOCKED LOOP
        UPDATE mpower.approvals a SET state = 'EXPIRED' WHERE a.request = r.request;
        PERFORM mpower.act_upon(r, 'EXPIRED', '', '', NULL, NULL, 'nobody decided in time');
        marked := marked + 1;
    END LOOP;
    RETURN marked;
END
$$;
REVOKE ALL ON FUNCTION mpower.expire_approvals_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.expire_approvals_v1 TO mpower_app;
RESET ROLE;
ALTER FUNCTION mpower.expire_approvals_v1 OWNER TO mpower_board;
