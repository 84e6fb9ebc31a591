-- A small written commit: what was read before it is answered only when this has been replicated.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.barrier_v1() RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT pg_logical_emit_message(true, 'mpower', 'barrier')
$$;
REVOKE ALL ON FUNCTION mpower.barrier_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.barrier_v1 TO mpower_app;
