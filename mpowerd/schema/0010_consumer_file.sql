-- What changed in a consumer's own data, field by field, and every contact the board had with the consumer.

SET LOCAL ROLE mpower_owner;

CREATE TABLE mpower.consumer_changes (
    change_id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT consumer_changes_pk PRIMARY KEY,
    consumer bigint NOT NULL CONSTRAINT consumer_changes_of REFERENCES mpower.consumers,
    field text COLLATE "C" NOT NULL,
    before text NOT NULL,
    after text NOT NULL,
    user_name text NOT NULL,
    person text COLLATE "C" NOT NULL,
    reason text NOT NULL,
    at timestamptz NOT NULL,
    CONSTRAINT consumer_changes_change CHECK (before <> after)
);
CREATE INDEX consumer_changes_by_consumer ON mpower.consumer_changes (consumer, change_id);

CREATE TABLE mpower.contacts (
    contact bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT contacts_pk PRIMARY KEY,
    consumer bigint NOT NULL CONSTRAINT contacts_of REFERENCES mpower.consumers,
    kind text NOT NULL CONSTRAINT contacts_kind CHECK (kind IN ('VISIT', 'CALL', 'LETTER', 'NOTICE', 'BILL', 'MESSAGE')),
    direction text NOT NULL CONSTRAINT contacts_direction CHECK (direction IN ('IN', 'OUT')),
    subject text NOT NULL,
    remark text NOT NULL,
    reference text NOT NULL,
    user_name text NOT NULL,
    counter text COLLATE "C" NOT NULL,
    at timestamptz NOT NULL
);
CREATE INDEX contacts_by_consumer ON mpower.contacts (consumer, contact);

SELECT mpower.keep('{consumer_changes, contacts}', true);
GRANT SELECT ON mpower.consumer_changes, mpower.contacts TO mpower_report;

-- How a consumer's data changed is the business of the offices that reach the consumer. The contacts are also told at any
-- counter, where every consumer of the city is served. Nobody keeps a row under another's name.
ALTER TABLE mpower.consumer_changes ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE mpower.contacts ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY consumer_changes_of_office ON mpower.consumer_changes FOR SELECT TO mpower_owner USING (
    EXISTS (SELECT FROM mpower.consumers c WHERE c.consumer = consumer_changes.consumer
        AND c.office IN (SELECT mpower.my_offices())));
CREATE POLICY consumer_changes_own ON mpower.consumer_changes FOR INSERT TO mpower_owner
    WITH CHECK (person = (SELECT me.person FROM mpower.asking() me));
CREATE POLICY contacts_of_office ON mpower.contacts FOR SELECT TO mpower_owner USING (
    (SELECT me.subject LIKE 'counter/%' FROM mpower.asking() me)
    OR EXISTS (SELECT FROM mpower.consumers c WHERE c.consumer = contacts.consumer
        AND c.office IN (SELECT mpower.my_offices())));
CREATE POLICY contacts_own ON mpower.contacts FOR INSERT TO mpower_owner
    WITH CHECK (user_name = (SELECT me.user_name FROM mpower.asking() me));
CREATE POLICY consumer_changes_whole ON mpower.consumer_changes FOR SELECT TO mpower_report USING (true);
CREATE POLICY contacts_whole ON mpower.contacts FOR SELECT TO mpower_report USING (true);

-- Put one field of a consumer and keep how it stood. Only what has changed counts.
CREATE FUNCTION mpower.put_consumer_field(
    whom bigint, field text, value text, user_name text, person text, reason text
) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, mpower, pg_temp AS $$
DECLARE
    stood text;
BEGIN
    SELECT to_jsonb(c) ->> field INTO stood FROM mpower.consumers c WHERE c.consumer = whom FOR UPDATE;
    IF NOT FOUND THEN
        PERFORM mpower.refuse('NO_CONSUMER', json_build_object('consumer', lpad(whom::text, 10, '0')));
    ELSIF stood <> value THEN
        INSERT INTO mpower.consumer_changes (consumer, field, before, after, user_name, person, reason, at)
            VALUES (whom, field, stood, value, user_name, person, reason, now());
        UPDATE mpower.consumers c SET
            name = CASE field WHEN 'name' THEN value ELSE c.name END,
            address = CASE field WHEN 'address' THEN value ELSE c.address END,
            category = CASE field WHEN 'category' THEN value ELSE c.category END,
            office = CASE field WHEN 'office' THEN value ELSE c.office END,
            mobile = CASE field WHEN 'mobile' THEN value ELSE c.mobile END,
            sanctioned_load_w = CASE field WHEN 'sanctioned_load_w' THEN value::bigint ELSE c.sanctioned_load_w END
            WHERE c.consumer = whom;
    END IF;
END
$$;
