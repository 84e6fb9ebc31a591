-- Register a book of leaves first to last for a counter: it has a series of its own from now on.

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.register_book_v1(code text, counter_code text, first_leaf integer, last_leaf integer, by text)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    whose mpower.counters;
    known mpower.receipt_books;
BEGIN
    SELECT * INTO whose FROM mpower.counters c WHERE c.code = counter_code AND c.kind = 'COUNTER' AND NOT c.closed;
    IF whose.counter_id IS NULL THEN
        PERFORM mpower.refuse('NO_COUNTER', json_build_object('counter', counter_code));
    END IF;
    SELECT b.* INTO known FROM mpower.receipt_books b JOIN mpower.counters c USING (counter_id) WHERE c.code = code;
    IF known.counter_id IS NOT NULL THEN
        PERFORM mpower.refuse('BOOK_EXISTS', json_build_object('book', code));
    END IF;
    INSERT INTO mpower.receipt_books (counter_id, for_counter, first_leaf, last_leaf, next_leaf, registered_at, registered_by)
        VALUES (mpower.new_counter(code, whose.office, 'PAPER'), whose.counter_id, first_leaf, last_leaf, first_leaf, now(), by);
END
$$;
REVOKE ALL ON FUNCTION mpower.register_book_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.register_book_v1 TO mpower_officer;
