-- One refund of a consumer: to whom, of which office, how much, the voucher that paid it out (0: none), and by how much
-- the consumer's advance does not cover what went out of it (0 or less: it does). No row: no such refund of this consumer.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.refund_v1(whom bigint, wanted bigint)
RETURNS TABLE (name text, office text, paise bigint, payout bigint, short bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT c.name, c.office, t.paise, coalesce((SELECT p.voucher FROM mpower.payouts p WHERE p.refund = t.voucher), 0),
        v.waits - v.paise
    FROM mpower.transfers t JOIN mpower.consumers c USING (consumer) CROSS JOIN mpower.advance_of(whom, NULL) v
    WHERE t.voucher = wanted AND t.kind = 'REFUND' AND t.consumer = whom
$$;
REVOKE ALL ON FUNCTION mpower.refund_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.refund_v1 TO mpower_officer;
