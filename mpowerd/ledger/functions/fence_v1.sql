-- The fence: this transaction belongs to that term, and no other term begins before it ends.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.fence_v1(term bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
DECLARE
    found_term bigint;
BEGIN
    SELECT f.term INTO found_term FROM cluster.fence f FOR SHARE;
    IF found_term IS DISTINCT FROM fence_v1.term THEN
        RAISE EXCEPTION 'the database carries term %, not %', found_term, fence_v1.term USING ERRCODE = 'MPR03';
    END IF;
    IF current_setting('synchronous_commit') <> 'on' THEN
        RAISE EXCEPTION 'synchronous_commit is not on' USING ERRCODE = 'MPR03';
    END IF;
END
$$;
REVOKE ALL ON FUNCTION mpower.fence_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.fence_v1 TO mpower_app;
