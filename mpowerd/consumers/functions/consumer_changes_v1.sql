-- What changed in a consumer's own data, newest first.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.consumer_changes_v1(whom bigint, most integer)
RETURNS TABLE (field text, before text, after text, user_name text, reason text, at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT h.field, h.before, h.after, h.user_name, h.reason, h.at FROM mpower.consumer_changes h
    WHERE h.consumer = whom ORDER BY h.change_id DESC LIMIT most
$$;
REVOKE ALL ON FUNCTION mpower.consumer_changes_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.consumer_changes_v1 TO mpower_clerk, mpower_officer, mpower_ops;
