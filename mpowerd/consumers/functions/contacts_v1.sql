-- The contacts with a consumer, newest first, older than `before` (0: from the newest).

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.contacts_v1(whom bigint, before bigint, most integer)
RETURNS TABLE (contact bigint, kind text, direction text, subject text, remark text, reference text, user_name text,
    counter text, at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT c.contact, c.kind, c.direction, c.subject, c.remark, c.reference, c.user_name, c.counter, c.at
    FROM mpower.contacts c WHERE c.consumer = whom AND (contacts_v1.before = 0 OR c.contact < contacts_v1.before)
    ORDER BY c.contact DESC LIMIT most
$$;
REVOKE ALL ON FUNCTION mpower.contacts_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.contacts_v1 TO mpower_clerk, mpower_officer, mpower_ops;
