-- One audit entry that no key records: a conflict, a sign-in, a refusal before the key.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.audit_note_v1(
    chain integer, what text, outcome text, user_name text, person text, role text, subject text, address text,
    counter text, client uuid, sequence bigint, object text, details text, reason text
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    link bigint;
    previous bytea;
    evidence bytea;
BEGIN
    SELECT l.link, l.previous INTO link, previous FROM mpower.next_link(chain) l;
    INSERT INTO mpower.audit_entries AS e (link, position, at, what, outcome, user_name, person, role, subject, address,
            counter, client, sequence, object, details, reason)
        VALUES (link, 1, now(), what, outcome, user_name, person, role, subject, address, counter, client, sequence,
            object, mpower.with_vouchers(details), reason)
        RETURNING mpower.entry_evidence(e) INTO evidence;
    INSERT INTO mpower.audit_links (link, at, term, covers, previous, hash, marks)
        SELECT link, now(), f.term, 1, previous, sha256(previous || evidence), ARRAY[hash_record(ROW(evidence))] FROM cluster.fence f;
END
$$;
REVOKE ALL ON FUNCTION mpower.audit_note_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.audit_note_v1
    TO mpower_app, mpower_clerk, mpower_officer, mpower_ops, mpower_bank, mpower_terminal, mpower_admin;
