-- Recompute all the audit's links from the rows they cover; a row for each trouble, in the order of the chains: the first
-- is the first bad link. For tests and small boards; audit_slice_v1 does the same in bounded steps.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.audit_check_v1() RETURNS TABLE (chain integer, link bigint, trouble text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT (t.link >> 40)::integer, t.link, t.trouble
    FROM mpower.audit_troubles(-9223372036854775808, 9223372036854775807) t ORDER BY t.link
$$;
REVOKE ALL ON FUNCTION mpower.audit_check_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.audit_check_v1 TO mpower_app, mpower_report;
