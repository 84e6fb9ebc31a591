-- A book as it stands; no row: there is none.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.book_v1(code text)
RETURNS TABLE (book text, counter text, first_leaf integer, last_leaf integer, next_leaf integer, entered bigint,
    spoilt bigint, suspense bigint, paise bigint, closed_by text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT c.code, f.code, b.first_leaf, b.last_leaf, b.next_leaf, l.entered, l.spoilt, l.suspense, l.paise,
        coalesce(b.closed_by, '')
    FROM mpower.receipt_books b JOIN mpower.counters c USING (counter_id)
    JOIN mpower.counters f ON f.counter_id = b.for_counter
    CROSS JOIN LATERAL (SELECT count(l.receipt) AS entered, count(l.spoilt) AS spoilt,
            count(*) FILTER (WHERE r.receipt IS NOT NULL AND r.consumer IS NULL) AS suspense,
            coalesce(sum(r.amount_paise), 0)::bigint AS paise
        FROM mpower.paper_leaves l LEFT JOIN mpower.requests r ON r.receipt = l.receipt
        WHERE l.counter_id = b.counter_id) l
    WHERE c.code = book_v1.code
$$;
REVOKE ALL ON FUNCTION mpower.book_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.book_v1 TO mpower_clerk, mpower_officer;
