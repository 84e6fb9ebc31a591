-- Close a held book; the leaves after the last that was accounted for were never used.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.close_book_v1(code text, by text, why text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    held mpower.receipt_books := mpower.hold_book(code);
BEGIN
    UPDATE mpower.receipt_books b SET closed_at = now(), closed_by = by, closed_why = why
        WHERE b.counter_id = held.counter_id;
END
$$;
REVOKE ALL ON FUNCTION mpower.close_book_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.close_book_v1 TO mpower_officer;
