-- A consumer's own data as they stand; none: there is no such consumer.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.consumer_v1(whom bigint)
RETURNS TABLE (name text, address text, category text, meter text, mobile text, sanctioned_load_w bigint,
    office text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT c.name, c.address, c.category, c.meter, c.mobile, c.sanctioned_load_w, c.office
    FROM mpower.consumers c WHERE c.consumer = whom
$$;
REVOKE ALL ON FUNCTION mpower.consumer_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.consumer_v1 TO mpower_clerk, mpower_officer, mpower_ops;
