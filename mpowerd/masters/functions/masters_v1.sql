-- One master as it stands on a day: every object that has not ended, by key; after a key, at most `most` of them.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.masters_v1(which text, as_of date, after text DEFAULT '', most integer DEFAULT NULL)
RETURNS TABLE (key text, valid_from date, content text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT s.key, s.valid_from, s.content FROM (
        SELECT DISTINCT ON (m.key) m.key, m.valid_from, m.content FROM mpower.masters m
        WHERE m.master = which AND m.key > after AND m.valid_from <= as_of ORDER BY m.key, m.valid_from DESC, m.at DESC
    ) s WHERE s.content IS NOT NULL ORDER BY s.key LIMIT most
$$;
REVOKE ALL ON FUNCTION mpower.masters_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.masters_v1 TO mpower_clerk, mpower_officer, mpower_ops, mpower_admin;
