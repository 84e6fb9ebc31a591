"""Where the verdict's evidence is read: the terminals' journals (SQLite files) and the database
(its local socket).

It reads the journals' bytes by the protocol's own types, and the database by plain SELECTs as the
operator of the machine would. It judges nothing.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any, Final

import msgspec
import psycopg

from clients.demo.stage import StageError
from clients.demo.verdict import Asked, Held
from protocols.catalogue.banking import Post, Posted
from protocols.catalogue.payments import Receipt, Take
from protocols.messages import Reply, Request

TAKEN: Final = """
    SELECT r.counter, encode(uuid_send(r.client), 'hex') || '/' || r.sequence, r.amount_paise,
        mpower.receipt_text(r.counter, r.receipt)
    FROM mpower.requests r WHERE r.receipt IS NOT NULL AND r.operation = 'payments.take'
"""
POSTED: Final = """
    SELECT r.counter, l.reference, r.amount_paise, mpower.receipt_text(r.counter, r.receipt)
    FROM mpower.scroll_lines l JOIN mpower.requests r USING (receipt)
"""


def journals(folder: Path) -> list[Asked]:
    """Everything the terminals and the bank ever asked for, from their journals."""
    found: list[Asked] = []
    for path in sorted(folder.glob("*.journal")):
        owner = path.stem.rpartition("-")[2]
        base = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        rows = base.execute("SELECT payload, verdict, answer, saved_at, settled_at FROM intents")
        for payload, verdict, answer, *times in rows.fetchall():
            found += _asked(owner, payload, answer if verdict == "RECEIPT" else b"", *times)
        base.close()
    return found


def _asked(
    owner: str, payload: bytes, answer: bytes, saved_at: float, settled_at: float
) -> list[Asked]:
    request = msgspec.msgpack.decode(payload, type=Request)
    assert request.key is not None
    reply = msgspec.msgpack.decode(answer, type=Reply).body if answer else None
    match request.operation:
        case "payments.take":
            took = msgspec.msgpack.decode(request.body, type=Take)
            receipt = msgspec.msgpack.decode(reply, type=Receipt).number if reply else ""
            key = f"{request.key.client.hex()}/{request.key.sequence}"
            return [Asked(owner, key, took.amount_paise, receipt, saved_at, settled_at)]
        case "banking.post":
            lines = msgspec.msgpack.decode(request.body, type=Post).lines
            posted = msgspec.msgpack.decode(reply, type=Posted).lines if reply else []
            receipts = {one.reference: one.receipt for one in posted}
            return [
                Asked(
                    owner,
                    line.reference,
                    line.amount_paise,
                    receipts.get(line.reference, ""),
                    saved_at,
                    settled_at,
                )
                for line in lines
            ]
    return []


def database(socket: Path, port: int) -> tuple[list[Held], list[str]]:
    """All receipts the database holds, and what its own recomputation of the ledger complains
    about.
    """
    try:
        with psycopg.connect(
            host=str(socket), port=port, user="postgres", dbname="mpower", autocommit=True
        ) as base:
            held = [Held(*row) for query in (TAKEN, POSTED) for row in base.execute(query)]
            flaws: list[Any] = base.execute("SELECT * FROM mpower.ledger_check_v1()").fetchall()
            flaws += base.execute("SELECT * FROM mpower.audit_check_v1()").fetchall()
    except psycopg.Error as wrong:
        raise StageError(f"The database at {socket} cannot be read: {wrong}.") from wrong
    return held, [" · ".join(str(word) for word in row) for row in flaws]
