-- What still belongs to an office: how many consumers and open counters. A row for each office that has any.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.offices_used_v1(asked text[]) RETURNS TABLE (office text, consumers bigint, counters bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT u.* FROM (SELECT a.office,
            (SELECT count(*) FROM mpower.consumers c WHERE c.office = a.office) AS consumers,
            (SELECT count(*) FROM mpower.counters c WHERE c.office = a.office AND NOT c.closed) AS counters
        FROM unnest(asked) a (office)) u
    WHERE u.consumers + u.counters > 0 ORDER BY u.office
$$;
REVOKE ALL ON FUNCTION mpower.offices_used_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.offices_used_v1 TO mpower_officer, mpower_admin;
