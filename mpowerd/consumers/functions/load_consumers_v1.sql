-- Load consumers with opening dues: all rows or none. A row that stands there already as it was loaded is no change; one
-- with other data refuses the load. Dues come as parallel arrays of (place of the row, head's slot, paise).

SET LOCAL ROLE mpower_owner;

CREATE FUNCTION mpower.load_consumers_v1(
    as_of date, by text, numbers bigint[], names text[], addresses text[], categories text[], meters text[],
    mobiles text[], loads_w bigint[], offices text[], loaded_as bytea[],
    due_rows integer[], due_slots integer[], due_paise bigint[],
    OUT added integer, OUT already integer, OUT dues_paise bigint
) LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    other bigint;
    nowhere text;
    fresh bigint[];
    number_of_voucher bigint;
BEGIN
    SELECT min(c.consumer) FILTER (WHERE c.loaded_as <> loaded_as[g.i]), count(c.consumer) INTO other, already
        FROM generate_series(1, cardinality(numbers)) g (i) LEFT JOIN mpower.consumers c ON c.consumer = numbers[g.i];
    IF other IS NOT NULL THEN
        PERFORM mpower.refuse('CONSUMER_EXISTS', json_build_object('consumer', lpad(other::text, 10, '0')));
    END IF;
    SELECT min(o.office) INTO nowhere FROM unnest(offices) o (office)
        WHERE NOT EXISTS (SELECT FROM mpower.offices p WHERE p.office = o.office);
    IF nowhere IS NOT NULL THEN
        PERFORM mpower.refuse('NO_OFFICE', json_build_object('office', nowhere));
    END IF;
    WITH new AS (
        INSERT INTO mpower.consumers (consumer, name, address, category, meter, mobile, sanctioned_load_w, office, loaded_as)
        SELECT numbers[g.i], names[g.i], addresses[g.i], categories[g.i], meters[g.i], mobiles[g.i], loads_w[g.i],
            offices[g.i], loaded_as[g.i]
        FROM generate_series(1, cardinality(numbers)) g (i)
        WHERE NOT EXISTS (SELECT FROM mpower.consumers c WHERE c.consumer = numbers[g.i])
        RETURNING consumer)
    SELECT coalesce(array_agg(new.consumer), '{}') INTO fresh FROM new;
    added := cardinality(fresh);
    INSERT INTO mpower.accounts (account) SELECT f.consumer * 16 FROM unnest(fresh) f (consumer) ORDER BY 1;
    SELECT coalesce(sum(due_paise[d.i]), 0) INTO dues_paise
        FROM generate_series(1, cardinality(due_rows)) d (i) WHERE numbers[due_rows[d.i]] = ANY (fresh);
    IF added = 0 THEN
        RETURN;
    END IF;
    INSERT INTO mpower.vouchers (kind, day, at, by) VALUES ('OPENING', as_of, now(), by)
        RETURNING voucher INTO number_of_voucher;
    INSERT INTO mpower.entries (voucher, debit, credit, amount_paise, line)
        SELECT number_of_voucher, CASE WHEN e.paise > 0 THEN e.head ELSE e.against END,
            CASE WHEN e.paise > 0 THEN e.against ELSE e.head END, abs(e.paise), row_number() OVER ()
        FROM (SELECT numbers[due_rows[d.i]] * 16 + due_slots[d.i] AS head, due_paise[d.i] AS paise,
                CASE WHEN due_slots[d.i] IN (5, 11) THEN -10 ELSE -1 END AS against
            FROM generate_series(1, cardinality(due_rows)) d (i)
            WHERE numbers[due_rows[d.i]] = ANY (fresh) AND due_paise[d.i] <> 0) e;
    PERFORM mpower.book_voucher(number_of_voucher);
END
$$;
REVOKE ALL ON FUNCTION mpower.load_consumers_v1 FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.load_consumers_v1 TO mpower_admin;
