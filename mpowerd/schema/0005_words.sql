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
-- board; every other power is granted.
CREATE VIEW mpower.powers_now AS
    WITH own AS (
        SELECT p.person, p.power, p.most, p.office FROM mpower.powers p
            WHERE p.withdrawn_at IS NULL AND current_date >= p.valid_from AND (p.ends_at IS NULL OR p.ends_at > now())
                AND (p.valid_to IS NULL OR current_date <= p.valid_to)
        UNION ALL
        SELECT u.person, by_role.power, NULL, 'HO' FROM mpower.users u
            CROSS JOIN (VALUES ('RIGHTS'), ('MASTERS')) by_role (power)
            WHERE u.role = 'admin' AND u.disabled_at IS NULL
    )
    SELECT own.person, own.power, own.most, own.office, NULL::text AS lent_by FROM own
    UNION ALL
    SELECT d.to_person, own.power, own.most, own.office, d.of_person FROM own
        JOIN mpower.delegations d ON d.of_person = own.person AND d.power = own.power
        WHERE d.ended_at IS NULL AND now() >= d.valid_from AND now() < d.valid_to;

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

-- Jurisdiction. A person reaches the office they belong to and those in which they hold a power, each with all below it; an
-- auditor the whole board.
CREATE FUNCTION mpower.seats_of(whom text, role text) RETURNS SETOF text LANGUAGE sql STABLE
SET search_path = pg_catalog, mpower, pg_temp AS $$
    SELECT p.office FROM mpower.persons p WHERE p.person = whom
    UNION SELECT n.office FROM mpower.powers_now n WHERE n.person = whom
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
