-- The stored outcomes of the keys a batch found used. The planner takes an array for a thousand keys and would rather
-- read the whole table, and a plan made while the table was empty stays for a long time: the LIMIT and the settings
-- leave it no choice but one look-up in the key's index for each key.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.outcomes_v1(counters text[], clients uuid[], sequences bigint[]) RETURNS SETOF mpower.outcomes
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off
SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    RETURN QUERY SELECT o.* FROM generate_series(1, cardinality(clients)) g (i)
        CROSS JOIN LATERAL (SELECT o.* FROM mpower.outcomes o WHERE o.counter = counters[g.i]
            AND o.client = clients[g.i] AND o.sequence = sequences[g.i] LIMIT 1) o;
END
$$;
REVOKE ALL ON FUNCTION mpower.outcomes_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.outcomes_v1 TO mpower_clerk;
