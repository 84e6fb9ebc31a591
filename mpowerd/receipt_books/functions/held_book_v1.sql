-- Hold an open book, and give those of these leaves that were accounted for before; one row without a leaf if none was.
-- The receipt is '' for a spoilt leaf.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.held_book_v1(code text, leaves integer[])
RETURNS TABLE (first_leaf integer, last_leaf integer, next_leaf integer, leaf integer, receipt text, content bytea,
    spoilt text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
DECLARE
    held mpower.receipt_books := mpower.hold_book(held_book_v1.code);
BEGIN
    RETURN QUERY SELECT held.first_leaf, held.last_leaf, held.next_leaf, l.leaf,
            coalesce(mpower.receipt_text(held_book_v1.code, l.receipt), ''), l.content, l.spoilt
        FROM (SELECT) one LEFT JOIN mpower.paper_leaves l
            ON l.counter_id = held.counter_id AND l.leaf = ANY (held_book_v1.leaves);
END
$$;
REVOKE ALL ON FUNCTION mpower.held_book_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.held_book_v1 TO mpower_clerk, mpower_officer;
