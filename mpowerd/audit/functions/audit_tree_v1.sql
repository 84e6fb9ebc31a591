-- The log's leaves from `first` on, at most `most`, each with the hash its link has now (null: the link is gone) and the
-- checkpoint that ends with it, if one does.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.audit_tree_v1(first bigint, most integer) RETURNS TABLE (
    leaf bigint, link bigint, hash bytea, found bytea, root bytea, at text, term bigint, signature bytea
) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT l.leaf, l.link, l.hash, k.hash, c.root, c.at, c.term, c.signature
    FROM (SELECT * FROM mpower.audit_leaves n WHERE n.leaf >= first ORDER BY n.leaf LIMIT most) l
    LEFT JOIN mpower.audit_links k ON k.link = l.link
    LEFT JOIN mpower.audit_checkpoints c ON c.size = l.leaf + 1
    ORDER BY l.leaf
$$;
REVOKE ALL ON FUNCTION mpower.audit_tree_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.audit_tree_v1 TO mpower_ops, mpower_admin;
