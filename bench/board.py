"""A board of any size, made at once: consumers with opening dues, counters, clerks with live
sessions, an open day and everybody's open shift.

For measuring, not for use: it writes the tables as the superuser, yet so that
``mpower.ledger_check_v1()`` finds nothing.
"""

from __future__ import annotations

import hashlib
from typing import Final

import psycopg
from argon2 import PasswordHasher

DAY: Final = "2026-11-24"
FIRST_CONSUMER: Final = 1_000_000_000
PASSWORD: Final = "a measured pass phrase"  # noqa: S105 - opens a board of made-up people
"""Every bench clerk's."""
DUES_PAISE: Final = 1_000_000_00
"""Each consumer owes this under CURRENT, so that no payment of a run is refused for want of dues"""

SEED: Final = f"""
INSERT INTO mpower.days (day, financial_year, opened_at, opened_by)
    VALUES ('{DAY}', 2026, now(), 'bench') ON CONFLICT DO NOTHING;
INSERT INTO mpower.counters (code, office, kind)
    SELECT 'C' || lpad(g::text, 3, '0'), 'HO', 'COUNTER'
    FROM generate_series(1, %(counters)s) g;
INSERT INTO mpower.accounts (account) SELECT -(c.counter_id::bigint * 16 + s)
    FROM mpower.counters c, unnest(ARRAY[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15]) s;
INSERT INTO mpower.series (counter_id, financial_year) SELECT counter_id, 2026 FROM mpower.counters;
INSERT INTO mpower.persons (person, name, designation, office)
    SELECT 'BENCH-' || g, 'Clerk ' || g, 'Cashier', 'HO'
    FROM generate_series(1, %(counters)s) g;
INSERT INTO mpower.users (name, person, role, password_hash, created_at)
    SELECT 'clerk' || g, 'BENCH-' || g, 'clerk', %(password_hash)s, now()
    FROM generate_series(1, %(counters)s) g;
INSERT INTO mpower.sessions (token, user_id, name, role, subject, address, opened_at, expires_at)
    SELECT sha256(convert_to('session ' || lpad(substr(u.name, 6), 8, '0'), 'UTF8')),
        u.user_id, u.name, 'clerk',
        'counter/C' || lpad(substr(u.name, 6), 3, '0'), '127.0.0.1', now(),
        now() + interval '30 days'
    FROM mpower.users u WHERE u.name LIKE 'clerk%%';
INSERT INTO mpower.shifts (counter_id, day, financial_year, user_id, opened_at, first_number,
        float_cash, float_paise, carried_paise)
    SELECT c.counter_id, '{DAY}', 2026, u.user_id, now(), 0, '', 0, 0
    FROM mpower.counters c JOIN mpower.users u ON u.name = 'clerk' || substr(c.code, 2)::integer;
UPDATE mpower.series z SET shift = s.shift, clerk = s.user_id
    FROM mpower.shifts s WHERE s.counter_id = z.counter_id;
"""
CONSUMERS: Final = f"""
INSERT INTO mpower.consumers (
        consumer, name, address, category, meter, mobile, sanctioned_load_w, office,
        loaded_as)
    SELECT {FIRST_CONSUMER} + g, 'Consumer Number ' || g, g || ' Canal Road', 'DS-1', 'M' || g,
        '9' || lpad(g::text, 9, '0'), 2000, 'HO', sha256('bench')
    FROM generate_series(%(first)s, %(first)s + %(consumers)s - 1) g;
INSERT INTO mpower.vouchers (kind, day, at, by) VALUES ('OPENING', '{DAY}', now(), 'bench');
INSERT INTO mpower.entries (voucher, debit, credit, amount_paise, line)
    SELECT (SELECT max(voucher) FROM mpower.vouchers), ({FIRST_CONSUMER} + g)::bigint * 16 + 3,
        -1, {DUES_PAISE}, g - %(first)s + 1
    FROM generate_series(%(first)s, %(first)s + %(consumers)s - 1) g;
INSERT INTO mpower.accounts (account, balance_paise, owed_paise)
    SELECT ({FIRST_CONSUMER} + g)::bigint * 16 + s, CASE s WHEN 0 THEN 0 ELSE {DUES_PAISE} END,
        CASE s WHEN 0 THEN {DUES_PAISE} ELSE 0 END
    FROM generate_series(%(first)s, %(first)s + %(consumers)s - 1) g, unnest(ARRAY[0, 3]) s
    ORDER BY 1;
UPDATE mpower.accounts SET balance_paise = balance_paise - %(consumers)s::bigint * {DUES_PAISE}
    WHERE account = -1;
SELECT mpower.audit_note_v1(127, 'consumers.load', 'DONE', 'bench', '', '', 'bench', '', '',
    NULL, NULL, '', '', '');
"""

RECEIPTS: Final = f"""
CREATE TEMPORARY TABLE told AS
    SELECT g, t.counter_id, t.code, z.last_number + row_number() OVER same AS number,
        {FIRST_CONSUMER} + (g * 7919 %% %(consumers)s) AS consumer, z.clerk
    FROM generate_series(1, %(receipts)s::bigint) g
    JOIN (SELECT c.*, row_number() OVER (ORDER BY c.counter_id) - 1 AS place, count(*) OVER () AS n
        FROM mpower.counters c WHERE c.kind = 'COUNTER') t ON t.place = g %% t.n
    JOIN mpower.series z ON z.counter_id = t.counter_id AND z.financial_year = 2026
    WINDOW same AS (PARTITION BY t.counter_id ORDER BY g);
ALTER TABLE told ADD receipt bigint, ADD previous bigint;
UPDATE told SET receipt = mpower.receipt_id(counter_id, 2026::smallint, number::integer);
CREATE TEMPORARY TABLE linked AS
    SELECT o.*, coalesce(lag(o.receipt) OVER (PARTITION BY o.consumer ORDER BY o.g),
        a.last_receipt) AS before
    FROM told o JOIN mpower.accounts a ON a.account = o.consumer * 16;
INSERT INTO mpower.requests (counter, client, sequence, at, link, receipt, previous_receipt,
        consumer, amount_paise, day, user_id, position, fingerprint, operation, actor, address,
        mode, instrument, purpose, name)
    SELECT o.code, md5('told ' || o.receipt)::uuid, 1, now() - interval '1 day',
        (120::bigint << 40) + o.receipt / 64 %% 1000000000, o.receipt, o.before, o.consumer, 7,
        date '{DAY}' - 1, o.clerk, (o.g %% 64 + 1)::smallint, sha256(int8send(o.receipt)),
        'payments.take', 'clerk', '10.0.0.1:4711', 'CASH', '', 'ADVANCE', 'Consumer Number'
    FROM linked o ORDER BY o.g;
INSERT INTO mpower.entries (voucher, debit, credit, amount_paise, line)
    SELECT o.receipt, -(o.counter_id::bigint * 16 + 1), o.consumer * 16, 7, 1
    FROM linked o ORDER BY o.g;
UPDATE mpower.accounts a SET balance_paise = a.balance_paise - 7 * s.count, last_receipt = s.last
    FROM (SELECT consumer, count(*), (array_agg(receipt ORDER BY g DESC))[1] AS last
        FROM linked GROUP BY 1) s WHERE a.account = s.consumer * 16;
UPDATE mpower.accounts a SET balance_paise = a.balance_paise + 7 * s.count
    FROM (SELECT counter_id, count(*) FROM linked GROUP BY 1) s
    WHERE a.account = -(s.counter_id::bigint * 16 + 1);
UPDATE mpower.series z SET last_number = s.last
    FROM (SELECT counter_id, max(number) AS last FROM linked GROUP BY 1) s
    WHERE z.counter_id = s.counter_id;
UPDATE mpower.shifts f SET first_number = z.last_number FROM mpower.series z
    WHERE z.counter_id = f.counter_id AND f.closed_at IS NULL;
DROP TABLE told, linked;
"""

VERIFIED: Final = f"""
INSERT INTO mpower.accounts (account) SELECT DISTINCT r.consumer * 16 + 6 FROM mpower.requests r
    WHERE r.receipt IS NOT NULL ORDER BY 1 ON CONFLICT DO NOTHING;
CREATE TEMPORARY TABLE told AS
    SELECT r.receipt, r.consumer, r.amount_paise AS paise, row_number() OVER same AS line,
        dense_rank() OVER (ORDER BY r.counter, r.step) AS voucher
    FROM (SELECT r.*, (row_number() OVER (PARTITION BY r.counter ORDER BY r.receipt) - 1)
            / %(each)s AS step
        FROM mpower.requests r WHERE r.receipt IS NOT NULL AND NOT EXISTS (
            SELECT FROM mpower.receipt_events e WHERE e.receipt = r.receipt)) r
    WINDOW same AS (PARTITION BY r.counter, r.step ORDER BY r.receipt);
UPDATE told SET voucher = voucher + (SELECT max(v.voucher) FROM mpower.vouchers v);
CREATE INDEX ON told (voucher);
ANALYZE told;
DO $$
DECLARE
    next bigint;
BEGIN
    FOR next IN SELECT DISTINCT t.voucher FROM told t ORDER BY 1 LOOP
        INSERT INTO mpower.vouchers (voucher, kind, day, at, by) OVERRIDING SYSTEM VALUE
            VALUES (next, 'VERIFY', '{DAY}', now(), 'bench');
        INSERT INTO mpower.receipt_events (receipt, step, state, voucher, day, at, by, reason)
            SELECT t.receipt, 1, 'VERIFIED', next, '{DAY}', now(), 'bench', ''
            FROM told t WHERE t.voucher = next;
        INSERT INTO mpower.entries (voucher, line, debit, credit, amount_paise)
            SELECT next, t.line, t.consumer * 16, t.consumer * 16 + 6, t.paise
            FROM told t WHERE t.voucher = next;
        PERFORM mpower.audit_note_v1(126, 'payments.verify', 'DONE', 'bench', '', '', 'bench', '',
            '', NULL, NULL, '', '', '');
    END LOOP;
END
$$;
SELECT setval(pg_get_serial_sequence('mpower.vouchers', 'voucher'), max(voucher))
    FROM mpower.vouchers;
UPDATE mpower.accounts a SET balance_paise = a.balance_paise + t.paise * f.sign,
        owed_paise = a.owed_paise - t.paise * (1 - f.slot / 6)
    FROM (SELECT consumer, sum(paise)::bigint AS paise FROM told GROUP BY 1) t,
        (VALUES (0, 1), (6, -1)) f (slot, sign) WHERE a.account = t.consumer * 16 + f.slot;
DROP TABLE told;
"""


def counter(number: int) -> str:
    """Give the code of the bench counter of that number, from 1."""
    return f"C{number:03d}"


def token(number: int) -> bytes:
    """Give the session token of the clerk at that counter: 16 bytes, as on the wire."""
    return f"session {number:08d}".encode()


def session(number: int) -> bytes:
    """Give the hash the database knows that token by."""
    return hashlib.sha256(token(number)).digest()


def seed(conninfo: str, consumers: int, counters: int) -> None:
    """Fill an empty migrated database. ``conninfo``: a superuser."""
    password_hash = PasswordHasher().hash(PASSWORD)
    _put(conninfo, SEED, {"counters": counters, "password_hash": password_hash})
    add_consumers(conninfo, 0, consumers)


def add_consumers(conninfo: str, first: int, consumers: int) -> None:
    """Add so many consumers, from the one that is ``first`` after FIRST_CONSUMER on."""
    _put(conninfo, CONSUMERS, {"first": first, "consumers": consumers})


def add_receipts(conninfo: str, receipts: int, consumers: int) -> None:
    """Add receipts of the day before, spread over all counters and consumers, as if taken one after
    the other.
    """
    _put(conninfo, RECEIPTS, {"receipts": receipts, "consumers": consumers})


def verify_receipts(conninfo: str, each: int) -> None:
    """Verify all receipts that wait, so many a voucher, as officers do: each is posted as an
    advance, its voucher sealed in the audit.
    """
    _put(conninfo, VERIFIED, {"each": each})


def _put(conninfo: str, statements: str, values: dict[str, object]) -> None:
    with psycopg.connect(
        conninfo, autocommit=True, cursor_factory=psycopg.ClientCursor
    ) as connection:
        connection.execute(statements.encode(), values)
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")
