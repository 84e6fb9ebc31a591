-- Store the one outcome of a key (a reply, or a final refusal) and its audit entry, as one link.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.key_finish_v1(
    chain integer, counter text, client uuid, sequence bigint, fingerprint bytea, operation text,
    refusal text, refusal_fields text, reply bytea,
    user_name text, person text, role text, subject text, address text, object text, details text, reason text
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    link bigint;
    previous bytea;
    evidence bytea;
    more bytea;
BEGIN
    SELECT l.link, l.previous INTO link, previous FROM mpower.next_link(chain) l;
    INSERT INTO mpower.requests AS r (counter, client, sequence, at, link, user_id, position, fingerprint, operation,
            actor, address, refusal, refusal_fields, reply)
        VALUES (counter, client, sequence, now(), link, (SELECT u.user_id FROM mpower.users u WHERE u.name = user_name),
            1, fingerprint, operation, user_name, address, refusal, refusal_fields, reply)
        RETURNING mpower.request_evidence(r) INTO evidence;
    INSERT INTO mpower.audit_entries AS e (link, position, at, what, outcome, user_name, person, role, subject, address,
            counter, client, sequence, object, details, reason)
        VALUES (link, 2, now(), operation, coalesce(refusal, 'DONE'), user_name, person, role, subject, address, counter,
            client, sequence, object, mpower.with_vouchers(details), reason)
        RETURNING mpower.entry_evidence(e) INTO more;
    INSERT INTO mpower.audit_links (link, at, term, covers, previous, hash, marks)
        SELECT link, now(), f.term, 2, previous, sha256(previous || evidence || more),
            ARRAY[hash_record(ROW(evidence)), hash_record(ROW(more))] FROM cluster.fence f;
END
$$;
REVOKE ALL ON FUNCTION mpower.key_finish_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.key_finish_v1
    TO mpower_clerk, mpower_officer, mpower_ops, mpower_bank, mpower_terminal, mpower_admin;
