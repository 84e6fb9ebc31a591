-- The stored outcomes of the keys a batch found used.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.outcomes_v1(counters text[], clients uuid[], sequences bigint[]) RETURNS SETOF mpower.outcomes
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT o.* FROM generate_series(1, cardinality(clients)) g (i)
    JOIN mpower.outcomes o ON o.counter = counters[g.i] AND o.client = clients[g.i] AND o.sequence = sequences[g.i]
$$;
REVOKE ALL ON FUNCTION mpower.outcomes_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.outcomes_v1 TO mpower_clerk;
