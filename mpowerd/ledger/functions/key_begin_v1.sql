-- What became of a key, if it was used before; none: it is free, and ours until this transaction ends. A found outcome
-- is answered only behind a written commit: the message makes this transaction one.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.key_begin_v1(counter text, client uuid, sequence bigint) RETURNS SETOF mpower.outcomes
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(77003, hashtext(key_begin_v1.counter || client::text || sequence::text));
    RETURN QUERY SELECT o.* FROM mpower.outcomes o
        WHERE o.counter = key_begin_v1.counter AND o.client = key_begin_v1.client AND o.sequence = key_begin_v1.sequence;
    IF FOUND THEN
        PERFORM pg_logical_emit_message(true, 'mpower', 'replay');
    END IF;
END
$$;
REVOKE ALL ON FUNCTION mpower.key_begin_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.key_begin_v1
    TO mpower_clerk, mpower_officer, mpower_ops, mpower_bank, mpower_terminal, mpower_admin;
