"""What a terminal has asked for and what became of it, on its own disk: an intent is here before it
is anywhere else.

One SQLite file a terminal, WAL with synchronous=FULL: when ``save`` returns, a power cut does not
lose it. One program uses it at a time. Keys: the client id is drawn anew at every opening, the
sequence never repeats in the file; so a journal restored from an old copy can not make an old key
mean something new. The answer is kept too, with whether it was shown: what was answered and never
shown is shown first. This file must not know operations nor the line.
"""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path
from typing import Final, Literal

from msgspec import Struct

KEEP_ROWS: Final = 100_000
"""Settled and shown rows kept for reprints and proof: a year of a busy counter, some 40 MB."""
SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS intents (
    number  INTEGER PRIMARY KEY AUTOINCREMENT,
    payload BLOB NOT NULL,
    verdict TEXT NOT NULL DEFAULT '' CHECK (verdict IN ('', 'RECEIPT', 'REJECTED', 'CONFLICT')),
    answer  BLOB NOT NULL DEFAULT x'',
    shown   INTEGER NOT NULL DEFAULT 0,
    saved_at   REAL NOT NULL DEFAULT 0,
    settled_at REAL NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX IF NOT EXISTS open_intents ON intents (number) WHERE verdict = '' OR shown = 0;
"""


class JournalError(Exception):
    """The journal cannot be used; str() says why and what to do."""


class Entry(Struct, frozen=True):
    """One intent: its number, the bytes sent, the verdict ('' while open), the answer's bytes,
    shown to a person. When it was saved and settled, in Unix seconds by this machine's clock (0 not
    yet): for people and for proof, no decision reads them.
    """

    number: int
    payload: bytes
    verdict: str
    answer: bytes
    shown: bool
    saved_at: float = 0.0
    settled_at: float = 0.0


class Journal:
    """An open journal. ``sync`` OFF is for load generators whose host is not part of the test."""

    def __init__(self, path: Path, sync: Literal["FULL", "OFF"] = "FULL") -> None:
        self.path = path
        self.client = os.urandom(16)
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._base = sqlite3.connect(path, isolation_level=None, timeout=0.2)
            self._base.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._base.execute("PRAGMA journal_mode = WAL")
            self._base.execute(f"PRAGMA synchronous = {sync}")
            sound = self._base.execute("PRAGMA quick_check(1)").fetchone()[0]
            if sound != "ok":
                raise JournalError(_broken(path, sound))
            self._base.executescript(SCHEMA)
            self._prune()
            row = self._base.execute("SELECT seq FROM sqlite_sequence WHERE name = 'intents'")
            self._last: int = (row.fetchone() or (0,))[0]
        except OSError as wrong:
            raise JournalError(
                f"The journal's folder {path.parent} cannot be made ({wrong.strerror})."
                " Make it, or name another with MPOWER_JOURNAL or 'journal:' in mpower.yaml."
            ) from wrong
        except sqlite3.OperationalError as wrong:
            raise JournalError(
                f"The journal {path} is used by another program or not writable ({wrong})."
                " Close the other counter program, or name another journal."
            ) from wrong
        except sqlite3.DatabaseError as wrong:
            raise JournalError(_broken(path, str(wrong))) from wrong

    def next_number(self) -> int:
        """Reserve the number of the next intent: never given before in this file."""
        self._last += 1
        return self._last

    def save(self, number: int, payload: bytes) -> None:
        """Make an intent durable; on return it survives a power cut. JournalError: it is not saved,
        and is never sent.
        """
        try:
            self._base.execute(
                "INSERT INTO intents (number, payload, saved_at) VALUES (?, ?, ?)",
                (number, payload, time.time()),
            )
        except sqlite3.Error as wrong:
            raise JournalError(
                f"Nothing was done: it could not be saved in {self.path} ({wrong})."
                " Look at the disk, then try again."
            ) from wrong

    def settle(self, number: int, verdict: str, answer: bytes) -> None:
        """Make its definitive answer durable. An answer is never replaced by another."""
        done = self._base.execute(
            "UPDATE intents SET verdict = ?, answer = ?, settled_at = ?"
            " WHERE number = ? AND verdict = ''",
            (verdict, answer, time.time(), number),
        )
        assert done.rowcount == 1, f"intent {number} is not open"

    def show(self, number: int) -> None:
        """Note that a person has seen the answer: from now on a print says DUPLICATE."""
        self._base.execute("UPDATE intents SET shown = 1 WHERE number = ?", (number,))

    def pending(self) -> list[Entry]:
        """Give the intents without an answer, oldest first."""
        return self._entries("verdict = '' ORDER BY number")

    def unshown(self) -> list[Entry]:
        """Give the answers that nobody has seen, oldest first."""
        return self._entries("verdict <> '' AND shown = 0 ORDER BY number")

    def latest(self, limit: int = 50) -> list[Entry]:
        """Give the last intents, newest first."""
        return self._entries(f"1 = 1 ORDER BY number DESC LIMIT {int(limit)}")

    def close(self) -> None:
        """Close the file; what is in it stays."""
        self._base.close()

    def _entries(self, where: str) -> list[Entry]:
        columns = "number, payload, verdict, answer, shown, saved_at, settled_at"
        rows = self._base.execute(f"SELECT {columns} FROM intents WHERE {where}")  # noqa: S608 - ours
        return [Entry(n, bytes(p), v, bytes(a), bool(s), *at) for n, p, v, a, s, *at in rows]

    def _prune(self) -> None:
        self._base.execute(
            "DELETE FROM intents WHERE verdict <> '' AND shown = 1 AND number <="
            " (SELECT max(number) FROM intents) - ?",
            (KEEP_ROWS,),
        )


def _broken(path: Path, why: str) -> str:
    return (
        f"The journal {path} is damaged ({why}). Keep the file for operations: it may hold payments"
        " not yet confirmed. Then name another journal to go on."
    )
