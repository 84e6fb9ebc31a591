-- Everything that was ever said about one object of a master, newest first.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.master_history_v1(which text, of_key text)
RETURNS TABLE (valid_from date, content text, at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT m.valid_from, m.content, m.at FROM mpower.masters m WHERE m.master = which AND m.key = of_key
    ORDER BY m.valid_from DESC, m.at DESC
$$;
REVOKE ALL ON FUNCTION mpower.master_history_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.master_history_v1 TO mpower_clerk, mpower_officer, mpower_ops, mpower_admin;
