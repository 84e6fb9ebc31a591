-- A charge by its consumer, head and reference, with what of it is payable still and whether it was withdrawn. No row: none.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.charge_v1(whom bigint, slot integer, reference text)
RETURNS TABLE (voucher bigint, name text, office text, paise bigint, payable bigint, withdrawn boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT h.voucher, c.name, c.office, h.paise, coalesce(a.owed_paise, 0),
        EXISTS (SELECT FROM mpower.withdrawals w WHERE w.charge = h.voucher)
    FROM mpower.charges h JOIN mpower.consumers c ON c.consumer = h.consumer
    LEFT JOIN mpower.accounts a ON a.account = whom * 16 + charge_v1.slot
    WHERE h.consumer = whom AND h.slot = charge_v1.slot AND h.reference = charge_v1.reference
$$;
REVOKE ALL ON FUNCTION mpower.charge_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.charge_v1 TO mpower_officer;
