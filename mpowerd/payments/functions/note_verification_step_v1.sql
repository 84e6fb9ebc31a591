-- Note what became of the receipts of one step, in the transaction that posted them. The step's first place is its key: a
-- step cannot be noted twice, nor out of turn. `reason`: of the receipts among them that FAILED.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.note_verification_step_v1(verification bigint, first_place integer, outcomes text[], reason text)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    n CONSTANT integer := cardinality(outcomes);
    posted integer;
    paise bigint;
    posting bigint;
BEGIN
    UPDATE mpower.verification_items i SET outcome = outcomes[i.place - first_place + 1],
            reason = CASE outcomes[i.place - first_place + 1] WHEN 'FAILED' THEN reason ELSE '' END
        WHERE i.verification = verification AND i.place >= first_place AND i.place < first_place + n;
    SELECT count(*), coalesce(sum(r.amount_paise), 0), max(e.voucher) INTO posted, paise, posting
        FROM mpower.verification_items i JOIN mpower.requests r USING (receipt)
        LEFT JOIN mpower.receipt_events e ON e.receipt = i.receipt AND e.step = 1
        WHERE i.verification = verification AND i.place >= first_place AND i.place < first_place + n
            AND i.outcome = 'VERIFIED';
    INSERT INTO mpower.verification_steps (verification, first_place, places, at, term, voucher)
        SELECT verification, first_place, n, now(), f.term, posting FROM cluster.fence f;
    UPDATE mpower.verifications v SET done = v.done + n, posted = v.posted + posted, posted_paise = v.posted_paise + paise,
            state = CASE WHEN v.done + n = v.receipts THEN 'DONE' ELSE v.state END
        WHERE v.verification = verification AND v.done = first_place - 1 AND v.state = 'OPEN';
    ASSERT FOUND, 'a step of a verification was noted out of turn';
END
$$;
REVOKE ALL ON FUNCTION mpower.note_verification_step_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.note_verification_step_v1 TO mpower_officer;
