-- Keep what became of a part of a scroll: the same file again gets the same answer.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.keep_scroll_v1(bank text, scroll text, part integer, fingerprint bytea, reply bytea)
RETURNS void LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
    INSERT INTO mpower.scrolls (counter_id, scroll, part, fingerprint, day, reply)
        SELECT c.counter_id, keep_scroll_v1.scroll, keep_scroll_v1.part, keep_scroll_v1.fingerprint, d.day,
            keep_scroll_v1.reply
        FROM mpower.counters c, mpower.days d WHERE c.code = bank AND d.closed_at IS NULL
$$;
REVOKE ALL ON FUNCTION mpower.keep_scroll_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.keep_scroll_v1 TO mpower_bank;
