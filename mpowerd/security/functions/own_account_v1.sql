-- Note that a consumer's account is a person's own, or their household's. The same again is no change.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.own_account_v1(whose text, consumer bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
#variable_conflict use_variable
BEGIN
    IF NOT EXISTS (SELECT FROM mpower.persons p WHERE p.person = whose) THEN
        PERFORM mpower.refuse('NO_PERSON', json_build_object('person', whose));
    ELSIF NOT EXISTS (SELECT FROM mpower.consumers c WHERE c.consumer = consumer) THEN
        PERFORM mpower.refuse('NO_CONSUMER', json_build_object('consumer', lpad(consumer::text, 10, '0')));
    END IF;
    INSERT INTO mpower.own_accounts VALUES (whose, consumer, now()) ON CONFLICT DO NOTHING;
END
$$;
REVOKE ALL ON FUNCTION mpower.own_account_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.own_account_v1 TO mpower_admin;
