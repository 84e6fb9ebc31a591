-- A consumer's account is a person's own no longer: four-eyes, it gives that person rights over it.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.disown_account_v1(whose text, consumer bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
#variable_conflict use_variable
BEGIN
    PERFORM mpower.must_be_approved('security.disown_account');
    UPDATE mpower.own_accounts o SET ended_at = now()
        WHERE o.person = whose AND o.consumer = consumer AND o.ended_at IS NULL;
END
$$;
REVOKE ALL ON FUNCTION mpower.disown_account_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.disown_account_v1 TO mpower_admin;
