-- What of these masters was changed ahead: each object that stands otherwise, or ends, from a day after `after`.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.masters_ahead_v1(which text[], after date) RETURNS TABLE (day date, master text, key text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT DISTINCT m.valid_from, m.master, m.key FROM mpower.masters m
    WHERE m.master = ANY (which) AND m.valid_from > after ORDER BY m.valid_from, m.master, m.key
$$;
REVOKE ALL ON FUNCTION mpower.masters_ahead_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.masters_ahead_v1 TO mpower_officer, mpower_admin;
