-- Four eyes: what was asked for and waits for a second person, and every act upon it.
--
-- A request holds the operation's own body; its content is SHA-256 of operation and body, its version grows with each
-- edit. Who decides names version and content, so that nobody approves what they have not seen. The maker's person and the
-- persons it is about stand in every act's row: the constraint, not the program, keeps a maker from being the checker, and
-- who gains by it from approving or endorsing it. The same change waits once, whoever asks for it and why.

SET LOCAL ROLE mpower_owner;

CREATE TABLE mpower.approvals (
    request bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT approvals_pk PRIMARY KEY,
    operation text COLLATE "C" NOT NULL,
    object text NOT NULL,
    power text NOT NULL,
    value bigint NOT NULL CONSTRAINT approvals_value CHECK (value >= 0),
    office text COLLATE "C" NOT NULL CONSTRAINT approvals_office REFERENCES mpower.offices,
    body bytea NOT NULL,
    content bytea NOT NULL CONSTRAINT approvals_content_is_sha256 CHECK (octet_length(content) = 32),
    change bytea NOT NULL CONSTRAINT approvals_change_is_sha256 CHECK (octet_length(change) = 32),
    version smallint NOT NULL DEFAULT 1,
    persons text[] COLLATE "C" NOT NULL,
    consumers bigint[] NOT NULL,
    before text NOT NULL,
    after text NOT NULL,
    reason text NOT NULL,
    state text NOT NULL DEFAULT 'PENDING' CONSTRAINT approvals_state
        CHECK (state IN ('PENDING', 'RETURNED', 'APPROVED', 'REJECTED', 'WITHDRAWN', 'EXPIRED')),
    maker_person text COLLATE "C" NOT NULL CONSTRAINT approvals_maker REFERENCES mpower.persons,
    maker_user text NOT NULL,
    with_person text COLLATE "C" CONSTRAINT approvals_with REFERENCES mpower.persons,
    asked_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL
);
COMMENT ON COLUMN mpower.approvals.change IS 'what would be done, whatever the reason: the same waits once';
COMMENT ON COLUMN mpower.approvals.persons IS 'whom it is about: none of them approves it';
COMMENT ON COLUMN mpower.approvals.consumers IS 'whose accounts it is about: nobody whose own one of them is approves it';
COMMENT ON COLUMN mpower.approvals.with_person IS 'to whom it was forwarded; null: to whoever is competent';
CREATE UNIQUE INDEX approvals_asked_once ON mpower.approvals (change) WHERE state IN ('PENDING', 'RETURNED');
CREATE INDEX approvals_open ON mpower.approvals (due_at) WHERE state IN ('PENDING', 'RETURNED');
CREATE INDEX approvals_of_maker ON mpower.approvals (maker_person, request);

CREATE TABLE mpower.approval_acts (
    request bigint NOT NULL CONSTRAINT approval_acts_request REFERENCES mpower.approvals,
    step smallint NOT NULL,
    act text NOT NULL CONSTRAINT approval_acts_act CHECK (act IN
        ('ASKED', 'EDITED', 'FORWARDED', 'RETURNED', 'APPROVED', 'FOUNDING', 'REJECTED', 'WITHDRAWN', 'EXPIRED')),
    version smallint NOT NULL,
    content bytea NOT NULL,
    person text COLLATE "C" NOT NULL,
    user_name text NOT NULL,
    lent_by text,
    to_person text,
    remark text NOT NULL,
    at timestamptz NOT NULL,
    maker_person text COLLATE "C" NOT NULL,
    concerned text[] COLLATE "C" NOT NULL,
    xact xid8 NOT NULL DEFAULT pg_current_xact_id(),
    CONSTRAINT approval_acts_pk PRIMARY KEY (request, step),
    CONSTRAINT approval_acts_two_people CHECK (act NOT IN ('APPROVED', 'RETURNED', 'REJECTED') OR person <> maker_person),
    CONSTRAINT approval_acts_not_lent_by_maker CHECK (act <> 'APPROVED' OR lent_by IS DISTINCT FROM maker_person),
    CONSTRAINT approval_acts_not_concerned CHECK (act NOT IN ('APPROVED', 'FORWARDED')
        OR person <> ALL (concerned) AND coalesce(lent_by <> ALL (concerned), true))
);
CREATE INDEX approval_acts_by_xact ON mpower.approval_acts (xact);

-- Rows of an office are seen by who made them, who had to do with them, who reaches that office, and to whom their very
-- power is lent or given for an emergency there: forced, so that it binds the functions themselves. mpower_board marks what ran out, and tells whether
-- somebody had to do with a request.
ALTER TABLE mpower.approvals ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE mpower.approval_acts ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
GRANT SELECT, UPDATE ON mpower.approvals TO mpower_board;
GRANT SELECT, INSERT ON mpower.approval_acts TO mpower_board;
RESET ROLE;
CREATE FUNCTION mpower.had_to_do(asked bigint, whom text) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT EXISTS (SELECT FROM mpower.approval_acts a WHERE a.request = asked AND whom IN (a.person, a.to_person))
$$;
REVOKE ALL ON FUNCTION mpower.had_to_do FROM PUBLIC;
ALTER FUNCTION mpower.had_to_do OWNER TO mpower_board;
GRANT EXECUTE ON FUNCTION mpower.had_to_do TO mpower_owner;
SET LOCAL ROLE mpower_owner;
CREATE POLICY approvals_of_office ON mpower.approvals TO mpower_owner USING (
    (SELECT me.person FROM mpower.asking() me) IN (maker_person, with_person)
    OR office IN (SELECT mpower.my_offices()) OR (power, office) IN (SELECT l.power, l.office FROM mpower.my_visits() l)
    OR mpower.had_to_do(request, (SELECT me.person FROM mpower.asking() me)));
CREATE POLICY approvals_whole ON mpower.approvals TO mpower_board, mpower_report USING (true);
CREATE POLICY approval_acts_of_office ON mpower.approval_acts TO mpower_owner
    USING (EXISTS (SELECT FROM mpower.approvals r WHERE r.request = approval_acts.request));
CREATE POLICY approval_acts_whole ON mpower.approval_acts TO mpower_board, mpower_report USING (true);

SELECT mpower.keep('{approvals}', false);
SELECT mpower.keep('{approval_acts}', true);
GRANT SELECT ON mpower.approvals, mpower.approval_acts TO mpower_report;

-- What is four-eyes calls this first: it is done only in the very transaction in which a second person approved it.
CREATE FUNCTION mpower.must_be_approved(operation text) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, mpower, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM mpower.approval_acts a JOIN mpower.approvals r USING (request)
            WHERE a.xact = pg_current_xact_id() AND a.act IN ('APPROVED', 'FOUNDING')
                AND r.operation = must_be_approved.operation) THEN
        RAISE EXCEPTION '% needs a second person''s approval in this transaction', operation
            USING ERRCODE = 'insufficient_privilege';
    END IF;
END
$$;

-- Whom a request is about, now: the persons it names, and those whose own the accounts are that it names.
CREATE FUNCTION mpower.concerned(r mpower.approvals) RETURNS text[] LANGUAGE sql STABLE
SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT r.persons || coalesce((SELECT array_agg(o.person) FROM mpower.own_accounts o
        WHERE o.consumer = ANY (r.consumers) AND o.ended_at IS NULL), '{}')
$$;
GRANT EXECUTE ON FUNCTION mpower.concerned TO mpower_board;
GRANT SELECT ON mpower.own_accounts TO mpower_board;

-- Whom it names must be there, so that nobody approves what names nobody.
CREATE FUNCTION mpower.must_be_known(persons text[]) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, mpower, pg_temp AS $$
DECLARE
    unknown text;
BEGIN
    SELECT named INTO unknown FROM unnest(persons) named
        WHERE NOT EXISTS (SELECT FROM mpower.persons p WHERE p.person = named) LIMIT 1;
    IF unknown IS NOT NULL THEN
        PERFORM mpower.refuse('NO_PERSON', json_build_object('person', unknown));
    END IF;
END
$$;

-- Who may approve a request of that value: who holds its power, is neither its maker nor one it is about, and has the power
-- from neither.
CREATE FUNCTION mpower.deciders(r mpower.approvals, value bigint) RETURNS TABLE (person text, lent_by text)
LANGUAGE sql STABLE SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT h.person, h.lent_by FROM mpower.holders(r.power, deciders.value, r.office) h
    WHERE h.person <> ALL (r.maker_person || mpower.concerned(r))
        AND coalesce(h.lent_by <> ALL (r.maker_person || mpower.concerned(r)), true)
$$;

-- Write one act upon a request, as its next step.
CREATE FUNCTION mpower.act_upon(
    r mpower.approvals, act text, person text, user_name text, lent_by text, to_person text, remark text
) RETURNS void LANGUAGE sql SET search_path = pg_catalog, mpower, pg_temp AS $$
    INSERT INTO mpower.approval_acts (request, step, act, version, content, person, user_name, lent_by, to_person, remark,
            at, maker_person, concerned)
        SELECT r.request, count(*) + 1, act_upon.act, r.version, r.content, act_upon.person, act_upon.user_name,
            act_upon.lent_by, act_upon.to_person, act_upon.remark, now(), r.maker_person, mpower.concerned(r)
        FROM mpower.approval_acts a WHERE a.request = r.request
$$;
GRANT EXECUTE ON FUNCTION mpower.act_upon TO mpower_board;

-- Lock a request that somebody decides about: it is there, open, in time, and the version and content they have seen.
CREATE FUNCTION mpower.open_request(asked bigint, version integer, content bytea) RETURNS mpower.approvals
LANGUAGE plpgsql SET search_path = pg_catalog, mpower, pg_temp AS $$
DECLARE
    r mpower.approvals;
BEGIN
    SELECT * INTO r FROM mpower.approvals a WHERE a.request = asked FOR UPDATE;
    IF r.request IS NULL THEN
        PERFORM mpower.refuse('NO_REQUEST', json_build_object('request', asked::text));
    ELSIF r.state NOT IN ('PENDING', 'RETURNED') THEN
        PERFORM mpower.refuse('REQUEST_SETTLED', json_build_object('request', asked::text, 'state', lower(r.state)));
    ELSIF r.due_at <= now() THEN
        PERFORM mpower.refuse('REQUEST_EXPIRED', json_build_object('request', asked::text));
    ELSIF r.version <> open_request.version OR r.content <> open_request.content THEN
        PERFORM mpower.refuse('REQUEST_CHANGED', json_build_object('request', asked::text, 'version', r.version::text));
    END IF;
    RETURN r;
END
$$;

-- Refuse what waits already under another request, in whichever office and by whomever. What ran out waits no more.
CREATE FUNCTION mpower.must_be_new(wanted bytea, besides bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mpower, pg_temp AS $$
DECLARE
    r mpower.approvals;
BEGIN
    SELECT * INTO r FROM mpower.approvals a
        WHERE a.change = wanted AND a.state IN ('PENDING', 'RETURNED') AND a.request IS DISTINCT FROM besides FOR UPDATE;
    IF r.due_at > now() THEN
        PERFORM mpower.refuse('ASKED_ALREADY', json_build_object('request', r.request::text, 'maker', r.maker_user,
            'state', lower(r.state)));
    ELSIF FOUND THEN
        UPDATE mpower.approvals a SET state = 'EXPIRED' WHERE a.request = r.request;
        PERFORM mpower.act_upon(r, 'EXPIRED', '', '', NULL, NULL, 'nobody decided in time');
    END IF;
END
$$;
REVOKE ALL ON FUNCTION mpower.must_be_new FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mpower.refuse TO mpower_board;
RESET ROLE;
ALTER FUNCTION mpower.must_be_new OWNER TO mpower_board;
GRANT EXECUTE ON FUNCTION mpower.must_be_new TO mpower_owner;
