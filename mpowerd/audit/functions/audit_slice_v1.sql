-- Recompute the next links after `after` (-1: from the first, and whatever stands before it): as many as fit in `links`
-- and cover about `rows` rows.
-- `last` is the last one looked at, null where there are none; done: nothing follows.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.audit_slice_v1(
    after bigint, links integer, rows integer, OUT last bigint, OUT seen_links integer, OUT seen_entries bigint,
    OUT done boolean, OUT bad_link bigint, OUT bad_position integer, OUT trouble text
) LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
DECLARE
    upto bigint;
    above CONSTANT bigint := CASE WHEN after < 0 THEN -9223372036854775808 ELSE after END;
BEGIN
    SELECT max(s.link), count(*), coalesce(sum(s.covers), 0) INTO last, seen_links, seen_entries FROM (
        SELECT n.link, n.covers, sum(n.covers) OVER (ORDER BY n.link) - n.covers AS before FROM (
            SELECT l.link, l.covers FROM mpower.audit_links l WHERE l.link > above ORDER BY l.link LIMIT links) n) s
        WHERE s.before < rows;
    done := NOT EXISTS (SELECT FROM mpower.audit_links l WHERE l.link > coalesce(last, above));
    upto := CASE WHEN done THEN 9223372036854775807 ELSE last END;
    SELECT t.link, t.at_position, t.trouble INTO bad_link, bad_position, trouble
        FROM mpower.audit_troubles(above, upto) t ORDER BY t.link LIMIT 1;
END
$$;
REVOKE ALL ON FUNCTION mpower.audit_slice_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.audit_slice_v1 TO mpower_ops, mpower_admin;
