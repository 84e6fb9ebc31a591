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
INSERT INTO mpower.consumers (
        consumer, name, address, category, meter, mobile, sanctioned_load_w, office,
        loaded_as)
    SELECT {FIRST_CONSUMER} + g, 'Consumer Number ' || g, g || ' Canal Road', 'DS-1', 'M' || g,
        '9' || lpad(g::text, 9, '0'), 2000, 'HO', sha256('bench')
    FROM generate_series(0, %(consumers)s - 1) g;
INSERT INTO mpower.vouchers (kind, day, at, by) VALUES ('OPENING', '{DAY}', now(), 'bench');
INSERT INTO mpower.entries (voucher, debit, credit, amount_paise, line)
    SELECT (SELECT max(voucher) FROM mpower.vouchers), ({FIRST_CONSUMER} + g)::bigint * 16 + 3,
        -1, {DUES_PAISE}, g + 1
    FROM generate_series(0, %(consumers)s - 1) g;
INSERT INTO mpower.accounts (account, balance_paise, owed_paise)
    SELECT ({FIRST_CONSUMER} + g)::bigint * 16 + s, CASE s WHEN 0 THEN 0 ELSE {DUES_PAISE} END,
        CASE s WHEN 0 THEN {DUES_PAISE} ELSE 0 END
    FROM generate_series(0, %(consumers)s - 1) g, unnest(ARRAY[0, 3]) s ORDER BY 1;
UPDATE mpower.accounts SET balance_paise = balance_paise - %(consumers)s::bigint * {DUES_PAISE}
    WHERE account = -1;
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
    values = {
        "consumers": consumers,
        "counters": counters,
        "password_hash": PasswordHasher().hash(PASSWORD),
    }
    with psycopg.connect(
        conninfo, autocommit=True, cursor_factory=psycopg.ClientCursor
    ) as connection:
        connection.execute(SEED, values)
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")
