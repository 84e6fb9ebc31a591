-- Receipt books: numbered leaves on paper, given to a counter, written when nothing else works, entered later.
--
-- A book is a counter of kind PAPER with a series of its own: an entered leaf is a receipt of that series, of the business
-- date on which it is entered; its printed number and the date on it stay with the leaf. The leaves of a book are accounted
-- for without a gap from the first on: each is entered or explained. What one entry brings is a shift that was over before
-- it was entered, so that its cash and instruments go to the bank like any other's.

SET LOCAL ROLE mpower_owner;

CREATE TABLE mpower.receipt_books (
    counter_id integer NOT NULL CONSTRAINT receipt_books_pk PRIMARY KEY
        CONSTRAINT receipt_books_series REFERENCES mpower.counters,
    for_counter integer NOT NULL CONSTRAINT receipt_books_for REFERENCES mpower.counters,
    first_leaf integer NOT NULL CONSTRAINT receipt_books_first CHECK (first_leaf > 0),
    last_leaf integer NOT NULL,
    next_leaf integer NOT NULL,
    registered_at timestamptz NOT NULL,
    registered_by text NOT NULL,
    closed_at timestamptz,
    closed_by text,
    closed_why text,
    CONSTRAINT receipt_books_span CHECK (last_leaf >= first_leaf AND next_leaf BETWEEN first_leaf AND last_leaf + 1),
    CONSTRAINT receipt_books_closed_whole CHECK (num_nulls(closed_at, closed_by, closed_why) IN (0, 3))
);
COMMENT ON COLUMN mpower.receipt_books.next_leaf IS 'the first that is not accounted for';

CREATE TABLE mpower.paper_leaves (
    counter_id integer NOT NULL CONSTRAINT paper_leaves_of_book REFERENCES mpower.receipt_books,
    leaf integer NOT NULL,
    receipt bigint,
    written_on date,
    consumer text,
    content bytea,
    spoilt text,
    at timestamptz NOT NULL,
    by text NOT NULL,
    CONSTRAINT paper_leaves_once PRIMARY KEY (counter_id, leaf),
    CONSTRAINT paper_leaves_entered_or_spoilt CHECK ((spoilt IS NULL) = (receipt IS NOT NULL)
        AND num_nulls(receipt, written_on, consumer, content) IN (0, 4))
);
COMMENT ON COLUMN mpower.paper_leaves.content IS 'SHA-256 of the leaf as it was entered: the same again is no change';

SELECT mpower.keep('{receipt_books}', false);
SELECT mpower.keep('{paper_leaves}', true);
GRANT SELECT ON mpower.receipt_books, mpower.paper_leaves TO mpower_report;

-- A book by its code, held until this transaction ends: NO_BOOK, or BOOK_CLOSED.
CREATE FUNCTION mpower.hold_book(code text) RETURNS mpower.receipt_books LANGUAGE plpgsql
SET search_path = pg_catalog, mpower, pg_temp AS $$
DECLARE
    held mpower.receipt_books;
BEGIN
    SELECT b.* INTO held FROM mpower.receipt_books b JOIN mpower.counters c USING (counter_id)
        WHERE c.code = hold_book.code FOR UPDATE OF b;
    IF held.counter_id IS NULL THEN
        PERFORM mpower.refuse('NO_BOOK', json_build_object('book', code));
    ELSIF held.closed_at IS NOT NULL THEN
        PERFORM mpower.refuse('BOOK_CLOSED', json_build_object('book', code));
    END IF;
    RETURN held;
END
$$;
