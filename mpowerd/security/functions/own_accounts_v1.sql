-- The accounts that are a person's own, or everybody's (''), that stand.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.own_accounts_v1(whose text) RETURNS TABLE (person text, consumer bigint, since timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT o.person, o.consumer, o.since FROM mpower.own_accounts o
    WHERE o.ended_at IS NULL AND (whose = '' OR o.person = whose) ORDER BY o.person, o.consumer
$$;
REVOKE ALL ON FUNCTION mpower.own_accounts_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.own_accounts_v1 TO mpower_ops, mpower_admin;
