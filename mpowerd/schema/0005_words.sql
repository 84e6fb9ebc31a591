-- Words that several functions share: the receipt number as printed, the outcome of a key, a refusal, the day's lock.

SET LOCAL ROLE mpower_owner;

-- Advisory locks by class, all within a transaction: 77001 the business day (shared by every taking, alone by opening and
-- closing), 77002 an audit chain, 77003 a key, 77004 the log of heads. They order; the constraints are what carries the promises.

CREATE FUNCTION mpower.receipt_text(counter text, receipt bigint) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT counter || '/' || (2000 + ((receipt >> 30) & 255))::text || '-'
        || lpad(((((receipt >> 30) & 255) + 1) % 100)::text, 2, '0') || '/' || (receipt & 1073741823)::text
$$;

-- A refusal raised in the database: its code and, as JSON, the fields of its sentence (numbers are paise).
CREATE FUNCTION mpower.refuse(code text, fields json DEFAULT '{}') RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, mpower, pg_temp AS $$
BEGIN
    RAISE EXCEPTION '%', code USING ERRCODE = 'MPR01', DETAIL = fields::text;
END
$$;

CREATE VIEW mpower.outcomes AS
    SELECT counter, client, sequence, fingerprint, operation, at, day,
        CASE WHEN receipt IS NOT NULL THEN mpower.receipt_text(counter, receipt) END AS number,
        lpad(consumer::text, 10, '0') AS consumer, name, amount_paise, mode, instrument, purpose, actor,
        refusal, refusal_fields, reply
    FROM mpower.requests;

CREATE FUNCTION mpower.open_day(OUT day date, OUT financial_year smallint) LANGUAGE plpgsql
SET search_path = pg_catalog, mpower, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(77001, 1);
    SELECT d.day, d.financial_year INTO open_day.day, open_day.financial_year
        FROM mpower.days d WHERE d.closed_at IS NULL;
    IF open_day.day IS NULL THEN
        PERFORM mpower.refuse('DAY_NOT_OPEN');
    END IF;
END
$$;

-- The next link of a chain: its number and the hash it follows. Waits for whoever writes the chain now.
CREATE FUNCTION mpower.next_link(chain integer, OUT link bigint, OUT previous bytea) LANGUAGE plpgsql
SET search_path = pg_catalog, mpower, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(77002, chain);
    SELECT l.link + 1, l.hash INTO next_link.link, next_link.previous FROM mpower.audit_links l
        WHERE l.link >= chain::bigint << 40 AND l.link < (chain::bigint + 1) << 40 ORDER BY l.link DESC LIMIT 1;
    IF next_link.link IS NULL THEN
        link := (chain::bigint << 40) + 1;
        previous := sha256(int4send(chain));
    END IF;
END
$$;

-- The details of an audit entry with the seals of the vouchers that this transaction made and no entry has told yet.
CREATE FUNCTION mpower.with_vouchers(details text) RETURNS text LANGUAGE plpgsql
SET search_path = pg_catalog, mpower, pg_temp AS $$
DECLARE
    made bigint[] := string_to_array(nullif(current_setting('mpower.vouchers', true), ''), ' ');
    seals text;
BEGIN
    IF made IS NULL THEN
        RETURN details;
    END IF;
    PERFORM set_config('mpower.vouchers', '', true);
    SELECT string_agg(v.voucher || ':' || mpower.voucher_seal(v, (
            SELECT string_agg(mpower.entry_line(e), ''::bytea ORDER BY e.line) FROM mpower.entries e
            WHERE e.voucher = v.voucher), (
            SELECT string_agg(mpower.event_line(x), ''::bytea ORDER BY x.receipt, x.step) FROM mpower.receipt_events x
            WHERE x.voucher = v.voucher)), ' ' ORDER BY v.voucher) INTO seals
        FROM mpower.vouchers v WHERE v.voucher = ANY (made);
    RETURN '{"vouchers":"' || coalesce(seals, '') || '"' || CASE WHEN details LIKE '{_%:%' THEN ',' || substr(details, 2)
        ELSE '}' END;
END
$$;

-- Is an office that one, or below it?
CREATE FUNCTION mpower.office_within(below text, above text) RETURNS boolean LANGUAGE sql STABLE
SET search_path = pg_catalog, mpower, pg_temp AS $$
    WITH RECURSIVE up (office) AS (
        SELECT below COLLATE "C"
        UNION
        SELECT o.parent FROM up JOIN mpower.offices o ON o.office = up.office WHERE o.parent IS NOT NULL
    )
    SELECT EXISTS (SELECT FROM up WHERE up.office = above)
$$;

-- The powers that stand now: in one's own right, or lent. An administrator holds RIGHTS and MASTERS by role, in the whole
-- board; every other power is granted. An emergency's power is its holder's alone: no loan carries it on.
CREATE VIEW mpower.powers_now AS
    WITH own AS (
        SELECT p.person, p.power, p.most, p.office, p.ends_at IS NOT NULL AS emergency FROM mpower.powers p
            WHERE p.withdrawn_at IS NULL AND current_date >= p.valid_from AND (p.ends_at IS NULL OR p.ends_at > now())
                AND (p.valid_to IS NULL OR current_date <= p.valid_to)
        UNION ALL
        SELECT u.person, by_role.power, NULL, 'HO', false FROM mpower.users u
            CROSS JOIN (VALUES ('RIGHTS'), ('MASTERS')) by_role (power)
            WHERE u.role = 'admin' AND u.disabled_at IS NULL
    )
    SELECT own.person, own.power, own.most, own.office, NULL::text AS lent_by, own.emergency FROM own
    UNION ALL
    SELECT d.to_person, own.power, own.most, own.office, d.of_person, false FROM own
        JOIN mpower.delegations d ON d.of_person = own.person AND d.power = own.power
        WHERE NOT own.emergency AND d.ended_at IS NULL AND now() >= d.valid_from AND now() < d.valid_to;

-- Who holds a power over a value in an office now. One row a person and way.
CREATE FUNCTION mpower.holders(power text, value bigint, office text)
RETURNS TABLE (person text, lent_by text) LANGUAGE sql STABLE SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT DISTINCT n.person, n.lent_by FROM mpower.powers_now n
    WHERE n.power = holders.power AND (n.most IS NULL OR n.most >= holders.value)
        AND mpower.office_within(holders.office, n.office)
$$;

-- Who a session is: refused unless it lives.
CREATE FUNCTION mpower.who(token bytea, OUT user_name text, OUT person text, OUT role text) LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, mpower, pg_temp AS $$
BEGIN
    SELECT u.name, u.person, s.role INTO who.user_name, who.person, who.role
        FROM mpower.sessions s JOIN mpower.users u USING (user_id)
        WHERE s.token = who.token AND s.ended_at IS NULL AND s.expires_at > now() AND u.disabled_at IS NULL;
    IF who.person IS NULL THEN
        PERFORM mpower.refuse('SIGN_IN_AGAIN');
    END IF;
END
$$;

-- Refuse what a person would do alone about an account that is their own: rules bind the person, whatever the login.
CREATE FUNCTION mpower.must_not_be_own(whose text, consumer bigint) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, mpower, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM mpower.own_accounts o WHERE o.person = whose AND o.consumer = must_not_be_own.consumer
            AND o.ended_at IS NULL) THEN
        PERFORM mpower.refuse('OWN_ACCOUNT', json_build_object('consumer', lpad(consumer::text, 10, '0')));
    END IF;
END
$$;

-- Jurisdiction. A person reaches the office they belong to and those in which they hold a power of their own, each with all
-- below it; an auditor the whole board. A lent power makes nobody at home in the lender's offices, nor an emergency's power
-- in its office: they give what my_visits says, and no more.
CREATE FUNCTION mpower.seats_of(whom text, role text) RETURNS SETOF text LANGUAGE sql STABLE
SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT p.office FROM mpower.persons p WHERE p.person = whom
    UNION SELECT n.office FROM mpower.powers_now n WHERE n.person = whom AND n.lent_by IS NULL AND NOT n.emergency
    UNION SELECT 'HO' WHERE role = 'auditor'
$$;

-- Who asks in this transaction, for row security: the setting mpower.session holds the session's hash in hex. Nulls: nobody
-- who lives. It names a session, it does not make one: whoever sets it must know a living session's hash.
CREATE FUNCTION mpower.asking(OUT user_name text, OUT person text, OUT role text, OUT subject text) LANGUAGE sql STABLE
SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT u.name, u.person, s.role, s.subject FROM mpower.sessions s JOIN mpower.users u USING (user_id)
    WHERE s.token = decode(coalesce(current_setting('mpower.session', true), ''), 'hex')
        AND s.ended_at IS NULL AND s.expires_at > now() AND u.disabled_at IS NULL
$$;

-- Every office that who asks reaches.
CREATE FUNCTION mpower.my_offices() RETURNS SETOF text LANGUAGE sql STABLE
SET search_path = pg_catalog, mpower, pg_temp AS $$
    WITH RECURSIVE down (office) AS (
        SELECT seat COLLATE "C" FROM mpower.asking() me, mpower.seats_of(me.person, me.role) seat
        UNION
        SELECT o.office FROM down JOIN mpower.offices o ON o.parent = down.office
    )
    SELECT down.office FROM down
$$;

-- What who asks holds in offices that are not theirs, lent or for an emergency: each power with every office it reaches.
-- Requests under that power there, and nothing else.
CREATE FUNCTION mpower.my_visits() RETURNS TABLE (power text, office text) LANGUAGE sql STABLE
SET search_path = pg_catalog, mpower, pg_temp AS $$
    WITH RECURSIVE down (power, office) AS (
        SELECT n.power, n.office COLLATE "C" FROM mpower.asking() me JOIN mpower.powers_now n ON n.person = me.person
            WHERE n.lent_by IS NOT NULL OR n.emergency
        UNION
        SELECT down.power, o.office FROM down JOIN mpower.offices o ON o.parent = down.office
    )
    SELECT down.power, down.office FROM down
$$;

-- A counter, a bank or a book with its in-hand accounts (a suspense among them) and its series of this year.
CREATE FUNCTION mpower.new_counter(code text, office text, kind text) RETURNS integer LANGUAGE plpgsql
SET search_path = pg_catalog, mpower, pg_temp AS $$
DECLARE
    id integer;
BEGIN
    PERFORM pg_advisory_xact_lock(77001, 2);  -- opening a day gives series to the counters there are
    IF EXISTS (SELECT FROM mpower.counters c WHERE c.code = new_counter.code) THEN
        PERFORM mpower.refuse('COUNTER_EXISTS', json_build_object('counter', code));
    ELSIF NOT EXISTS (SELECT FROM mpower.offices o WHERE o.office = new_counter.office) THEN
        PERFORM mpower.refuse('NO_OFFICE', json_build_object('office', office));
    END IF;
    INSERT INTO mpower.counters (code, office, kind) VALUES (new_counter.code, new_counter.office, new_counter.kind)
        RETURNING counter_id INTO id;
    INSERT INTO mpower.accounts (account)
        SELECT -(id::bigint * 16 + slot) FROM unnest(ARRAY[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15]) slot;
    INSERT INTO mpower.series (counter_id, financial_year)
        SELECT id, d.financial_year FROM mpower.days d WHERE d.closed_at IS NULL;
    RETURN id;
END
$$;

-- Post lines that somebody brings together (a scroll's, a book's): each a receipt of the bringer's series, taken into the
-- in-hand account of its slot, and credited to its consumer, or to the bringer's suspense when the consumer (-1 or unknown)
-- is not ours. Each has a key of its own with the sequence 0 that the wire never carries; all are one link of the audit.
CREATE FUNCTION mpower.post_lines(
    chain integer, bringer integer, day date, year smallint, who integer, actor text, address text, operation text,
    fingerprint bytea, keys text[], consumers bigint[], paise bigint[], slots integer[], modes text[], instruments text[]
) RETURNS TABLE (place integer, receipt bigint, ours boolean)
LANGUAGE plpgsql SET search_path = pg_catalog, mpower, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    n CONSTANT integer := cardinality(keys);
    code text;
    last integer;
    link bigint;
    previous bytea;
    hash bytea;
    marks integer[];
    known bigint[];
    before bigint[];
BEGIN
    SELECT c.code INTO code FROM mpower.counters c WHERE c.counter_id = bringer;
    UPDATE mpower.series s SET last_number = s.last_number + n
        WHERE s.counter_id = bringer AND s.financial_year = year RETURNING s.last_number - n INTO last;
    ASSERT last IS NOT NULL, 'who brings lines has no series in the open financial year';
    PERFORM FROM mpower.accounts a WHERE a.account IN (SELECT u.number * 16 FROM unnest(consumers) u (number))
        ORDER BY a.account FOR UPDATE;
    SELECT l.link, l.previous INTO link, previous FROM mpower.next_link(chain) l;
    -- A consumer's number where the line is ours, else null; and the receipt before this one of the same consumer.
    SELECT array_agg(x.known ORDER BY x.place), array_agg(x.before ORDER BY x.place) INTO known, before FROM (
        SELECT g.i AS place, c.consumer AS known, CASE WHEN c.consumer IS NOT NULL THEN coalesce(
                mpower.receipt_id(bringer, year, last + lag(g.i) OVER (PARTITION BY c.consumer ORDER BY g.i)),
                a.last_receipt) END AS before
        FROM generate_series(1, n) g (i) LEFT JOIN mpower.consumers c ON c.consumer = consumers[g.i]
        LEFT JOIN mpower.accounts a ON a.account = c.consumer * 16) x;
    WITH kept AS (
        INSERT INTO mpower.requests (counter, client, sequence, at, link, receipt, previous_receipt, consumer,
            amount_paise, day, user_id, position, fingerprint, operation, actor, address, mode, instrument, purpose, name)
        SELECT code, encode(substring(sha256(convert_to(keys[g.i], 'UTF8')) FOR 16), 'hex')::uuid, 0, now(), link,
            mpower.receipt_id(bringer, year, last + g.i), before[g.i], known[g.i], paise[g.i], day, who, g.i, fingerprint,
            operation, actor, address, modes[g.i], instruments[g.i], 'DUES',
            (SELECT c.name FROM mpower.consumers c WHERE c.consumer = known[g.i])
        FROM generate_series(1, n) g (i)
        RETURNING requests.position, mpower.request_evidence(requests) AS evidence)
    SELECT sha256(previous || string_agg(kept.evidence, ''::bytea ORDER BY kept.position)),
        array_agg(hash_record(ROW(kept.evidence)) ORDER BY kept.position) INTO hash, marks FROM kept;
    INSERT INTO mpower.audit_links (link, at, term, covers, previous, hash, marks)
        SELECT link, now(), f.term, n, previous, hash, marks FROM cluster.fence f;
    INSERT INTO mpower.entries (voucher, debit, credit, amount_paise, line)
        SELECT mpower.receipt_id(bringer, year, last + g.i), -(bringer::bigint * 16 + slots[g.i]),
            coalesce(known[g.i] * 16, -(bringer::bigint * 16 + 15)), paise[g.i], 1 FROM generate_series(1, n) g (i);
    UPDATE mpower.accounts a SET balance_paise = a.balance_paise - t.paise,
            last_receipt = CASE WHEN a.account >= 0 THEN mpower.receipt_id(bringer, year, last + t.newest) ELSE 0 END,
            last_day = CASE WHEN a.account >= 0 THEN day END
        FROM (SELECT coalesce(known[g.i] * 16, -(bringer::bigint * 16 + 15)) AS account, sum(paise[g.i]) AS paise,
                max(g.i) AS newest FROM generate_series(1, n) g (i) GROUP BY 1) t
        WHERE a.account = t.account;
    UPDATE mpower.accounts a SET balance_paise = a.balance_paise + t.paise
        FROM (SELECT slots[g.i] AS slot, sum(paise[g.i]) AS paise FROM generate_series(1, n) g (i) GROUP BY 1) t
        WHERE a.account = -(bringer::bigint * 16 + t.slot);
    RETURN QUERY SELECT g.i, mpower.receipt_id(bringer, year, last + g.i), known[g.i] IS NOT NULL
        FROM generate_series(1, n) g (i) ORDER BY g.i;
END
$$;
