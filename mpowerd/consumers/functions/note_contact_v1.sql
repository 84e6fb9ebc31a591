-- Keep a contact with a consumer; its number.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.note_contact_v1(
    token bytea, whom bigint, kind text, direction text, subject text, remark text, reference text, counter text
) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    me record;
    kept bigint;
BEGIN
    SELECT * INTO me FROM mpower.who(token);
    IF NOT EXISTS (SELECT FROM mpower.consumers c WHERE c.consumer = whom) THEN
        PERFORM mpower.refuse('NO_CONSUMER', json_build_object('consumer', lpad(whom::text, 10, '0')));
    END IF;
    INSERT INTO mpower.contacts AS c (consumer, kind, direction, subject, remark, reference, user_name, counter, at)
        VALUES (whom, kind, direction, subject, remark, reference, me.user_name, counter, now())
        RETURNING c.contact INTO kept;
    RETURN kept;
END
$$;
REVOKE ALL ON FUNCTION mpower.note_contact_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.note_contact_v1 TO mpower_clerk, mpower_officer;
