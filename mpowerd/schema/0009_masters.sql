-- Masters: what the board works by. A row is one object's content from a day on; the row before it stood until then, and a
-- row without content ends the object. Nothing is ever changed in place: what held on a day can be told for ever.

SET LOCAL ROLE mpower_owner;

CREATE TABLE mpower.masters (
    master text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    valid_from date NOT NULL,
    content text,
    at timestamptz NOT NULL,
    CONSTRAINT masters_pk PRIMARY KEY (master, key, valid_from, at)
);
COMMENT ON COLUMN mpower.masters.content IS 'the fields as JSON, by name; null: ended from that day';
INSERT INTO mpower.masters VALUES
    ('offices', 'HO', '2000-01-01', '{"code":"HO","kind":"BOARD","name":"Head office","parent":""}', now());

SELECT mpower.keep('{masters}', true);
GRANT SELECT ON mpower.masters TO mpower_report;
