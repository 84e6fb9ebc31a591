-- Words that several functions share: the receipt number as printed, the outcome of a key, a refusal, the day's lock.

SET LOCAL ROLE mpower_owner;

-- Advisory locks by class, all within a transaction: 77001 the business day (shared by every taking, alone by opening and
-- closing), 77002 an audit chain, 77003 a key. They order; the constraints are what carries the promises.

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
