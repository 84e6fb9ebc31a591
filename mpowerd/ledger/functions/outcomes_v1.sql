-- The stored outcomes of the keys a batch found used. The planner takes an array for a thousand keys and would rather
-- read the whole table (a scan that grows with every payment, once or twice a batch); one index look-up a key is right
-- however many there are.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.outcomes_v1(counters text[], clients uuid[], sequences bigint[]) RETURNS SETOF mpower.outcomes
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off
SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    RETURN QUERY SELECT o.* FROM generate_series(1, cardinality(clients)) g (i)
        JOIN mpower.outcomes o ON o.counter = counters[g.i] AND o.client = clients[g.i] AND o.sequence = sequences[g.i];
END
$$;
REVOKE ALL ON FUNCTION mpower.outcomes_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.outcomes_v1 TO mpower_clerk;
