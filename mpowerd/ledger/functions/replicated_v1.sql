-- The ack gate's question, asked after COMMIT: has the one walsender of that name flushed up to where we stand now (upto
-- null) or stood then? No such walsender, two of them, or an unknown position is: no.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.replicated_v1(standby text, upto pg_lsn, OUT target text, OUT acknowledged boolean)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT t.target::text, (
        SELECT count(*) = 1 AND coalesce(bool_and(r.flush_lsn >= t.target), false)
        FROM pg_stat_replication r WHERE r.application_name = standby AND r.state = 'streaming')
    FROM (SELECT coalesce(upto, pg_current_wal_flush_lsn()) AS target) t
$$;
REVOKE ALL ON FUNCTION mpower.replicated_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.replicated_v1 TO mpower_app;
