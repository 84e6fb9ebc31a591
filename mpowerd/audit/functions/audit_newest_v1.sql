-- What a node entered last, under this name, about each of these objects; no row: nothing yet.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.audit_newest_v1(whats text[], objects text[])
RETURNS TABLE (what text, object text, details text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT asked.what, asked.object, newest.details
    FROM unnest(whats, objects) asked (what, object) CROSS JOIN LATERAL (
        SELECT e.details FROM mpower.audit_entries e
        WHERE e.object = asked.object AND e.object <> '' AND e.what = asked.what AND starts_with(e.subject, 'node/')
        ORDER BY e.at DESC, e.link DESC LIMIT 1) newest
$$;
REVOKE ALL ON FUNCTION mpower.audit_newest_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.audit_newest_v1 TO mpower_app;
