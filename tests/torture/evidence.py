"""What the verdict is taken from: the terminals' journals and the rows of a database, as values.

Journals are SQLite files read beside their owners; the database is read by plain SELECTs over the
local socket, as the operator of the machine would. It judges nothing.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import msgspec
import psycopg
from msgspec import Struct

from protocols.messages import Reply, Request

INTENTS: Final = "SELECT payload, verdict, answer, saved_at, settled_at FROM intents"


class Asked(Struct, frozen=True):
    """One intent of a journal. ``key``: client and sequence; ``answer``: the body of the definitive
    good answer, b'' if none; ``refused``: the definitive answer was no. Unix seconds.
    """

    owner: str
    key: str
    operation: str
    body: bytes
    answer: bytes
    refused: bool
    saved_at: float
    settled_at: float


class Kept(Struct, frozen=True):
    """A key as a database holds it, with its one outcome."""

    owner: str
    key: str
    operation: str
    receipt: int
    number: str
    amount_paise: int


class Books(Struct, frozen=True):
    """All that is read of one database."""

    requests: list[Kept]
    references: dict[tuple[str, str], tuple[str, int]]
    """(bank, reference) → receipt number and paise."""
    cancelled: list[str]
    entries: list[tuple[int, int, int, int]]
    """voucher, debit, credit, paise"""
    balances: dict[int, int]
    links: list[tuple[int, bytes, bytes, bytes]]
    """link, previous, hash, the evidence it covers in order"""
    own_checks: list[str]
    """What the shipped checks complain about."""


REQUESTS: Final = """
    SELECT r.counter, encode(uuid_send(r.client), 'hex') || '/' || r.sequence, r.operation,
        coalesce(r.receipt, 0), coalesce(mpower.receipt_text(r.counter, r.receipt), ''),
        coalesce(r.amount_paise, 0)
    FROM mpower.requests r
"""
REFERENCES: Final = """
    SELECT r.counter, l.reference, mpower.receipt_text(r.counter, r.receipt), r.amount_paise
    FROM mpower.scroll_lines l JOIN mpower.requests r USING (receipt)
"""
CANCELLED: Final = """
    SELECT mpower.receipt_text(r.counter, r.receipt)
    FROM mpower.receipt_events e JOIN mpower.requests r USING (receipt) WHERE e.state = 'CANCELLED'
"""
LINKS: Final = """
    SELECT l.link, l.previous, l.hash,
        coalesce(string_agg(c.evidence, ''::bytea ORDER BY c.position), '')
    FROM mpower.audit_links l LEFT JOIN (
        SELECT r.link, r.position, mpower.request_evidence(r) AS evidence FROM mpower.requests r
        UNION ALL
        SELECT e.link, e.position, mpower.entry_evidence(e) FROM mpower.audit_entries e
    ) c USING (link)
    GROUP BY l.link ORDER BY l.link
"""
TABLES: Final = """
    SELECT c.oid::regclass::text FROM pg_class c
    WHERE c.relnamespace = 'mpower'::regnamespace AND c.relkind = 'r' ORDER BY 1
"""


def journals(folder: Path) -> list[Asked]:
    """Everything every terminal ever asked for; also while they work."""
    found: list[Asked] = []
    for path in sorted(folder.glob("*.journal")):
        owner = path.stem.rpartition("-")[2]
        with (
            tempfile.TemporaryDirectory() as room,
            closing(sqlite3.connect(_copied(path, Path(room)))) as base,
        ):
            rows = base.execute(INTENTS).fetchall()
        found += [_asked(owner, *row) for row in rows]
    return found


def _copied(path: Path, room: Path) -> Path:
    """Copy a journal whose owner keeps it locked; again if it was folded together meanwhile."""
    while True:
        before = path.stat().st_mtime_ns
        for part in (path, path.with_name(path.name + "-wal")):
            if part.exists():
                shutil.copy2(part, room)
        if path.stat().st_mtime_ns == before:
            return room / path.name


def _asked(
    owner: str, payload: bytes, verdict: str, answer: bytes, saved_at: float, settled_at: float
) -> Asked:
    request = msgspec.msgpack.decode(payload, type=Request)
    assert request.key is not None, "only what has a key is journalled"
    body = b""
    if verdict == "RECEIPT":
        body = bytes(msgspec.msgpack.decode(answer, type=Reply).body)
    return Asked(
        owner,
        f"{bytes(request.key.client).hex()}/{request.key.sequence}",
        request.operation,
        bytes(request.body),
        body,
        verdict in {"REJECTED", "CONFLICT"},
        saved_at,
        settled_at,
    )


def connect(socket: Path) -> psycopg.Connection[Any]:
    """Open a database as its machine's operator."""
    return psycopg.connect(
        host=str(socket),
        user="postgres",
        dbname="mpower",
        autocommit=True,
        connect_timeout=5,
        options="-c statement_timeout=120s",
    )


def books(base: psycopg.Connection[Any]) -> Books:
    """Read all of it, as of one moment."""
    with base.transaction():
        base.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        return Books(
            requests=[Kept(*row) for row in base.execute(REQUESTS)],
            references={(row[0], row[1]): (row[2], row[3]) for row in base.execute(REFERENCES)},
            cancelled=[row[0] for row in base.execute(CANCELLED)],
            entries=[
                (row[0], row[1], row[2], row[3])
                for row in base.execute(
                    "SELECT voucher, debit, credit, amount_paise FROM mpower.entries"
                )
            ],
            balances=dict(base.execute("SELECT account, balance_paise FROM mpower.accounts")),
            links=[(row[0], row[1], row[2], row[3]) for row in base.execute(LINKS)],
            own_checks=list(_own_checks(base)),
        )


def _own_checks(base: psycopg.Connection[Any]) -> Iterator[str]:
    for check in ("ledger_check_v1", "audit_check_v1"):
        for row in base.execute(f"SELECT * FROM mpower.{check}()".encode()):
            yield f"{check}: {' · '.join(str(word) for word in row)}"


def prints(base: psycopg.Connection[Any]) -> dict[str, tuple[int, str]]:
    """Each table's number of rows and a hash of all of them in one order."""
    found = {}
    for (table,) in base.execute(TABLES).fetchall():
        query = (
            f"SELECT count(*), coalesce(md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))),"
            f" '') FROM {table} t"
        )
        count, digest = base.execute(query.encode()).fetchone() or (0, "")
        found[table] = (count, digest)
    return found
