-- May this session act in that role now? '' yes, else the refusal's code. Asked after the key, in its transaction.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.permit_v1(token bytea, role text) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT coalesce((
        SELECT CASE
            WHEN s.ended_why = 'DISABLED' THEN 'USER_DISABLED'
            WHEN s.ended_at IS NOT NULL OR s.expires_at <= now() THEN 'SIGN_IN_AGAIN'
            WHEN s.role <> permit_v1.role THEN 'ROLE'
            ELSE '' END
        FROM mpower.sessions s WHERE s.token = permit_v1.token), 'SIGN_IN_AGAIN')
$$;
REVOKE ALL ON FUNCTION mpower.permit_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.permit_v1
    TO mpower_clerk, mpower_officer, mpower_ops, mpower_bank, mpower_terminal, mpower_admin;
