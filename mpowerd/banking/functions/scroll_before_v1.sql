-- Was this part of a scroll posted before? Its fingerprint and reply; no row: no. Until this transaction ends nobody else
-- posts a scroll of that bank: a reference that is in two of them is found, and its series is one row in any case.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.scroll_before_v1(bank text, scroll text, part integer)
RETURNS TABLE (fingerprint bytea, reply bytea)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(77003, hashtext('scroll ' || bank));
    RETURN QUERY SELECT s.fingerprint, s.reply FROM mpower.scrolls s JOIN mpower.counters c USING (counter_id)
        WHERE c.code = bank AND s.scroll = scroll_before_v1.scroll AND s.part = scroll_before_v1.part;
END
$$;
REVOKE ALL ON FUNCTION mpower.scroll_before_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.scroll_before_v1 TO mpower_bank;
