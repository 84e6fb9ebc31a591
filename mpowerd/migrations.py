"""Bring the schema up: every SQL file of the ledger, in the ledger's order, each once and in one
transaction.

``schema/ledger.sha256`` lists schema and function files with their SHA-256; what was released never
changes, so a file that no longer fits its line refuses to start. yoyo keeps the books (which ran,
when, from where). It does not run them: its runner applies on one connection and marks on another,
so that a crash between the two leaves a file applied and unmarked, and its splitter cuts statements
itself; here a file goes to the server whole and is marked in its own transaction. Runs on the
primary only, as the superuser, under an advisory lock. It must not know what the files say.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

import psycopg
from msgspec import Struct
from yoyo.backends.core.postgresql import PostgresqlPsycopgBackend
from yoyo.migrations import Migration

LEDGER: Final = Path(__file__).parent / "schema" / "ledger.sha256"
HOUSE: Final = Path(__file__).parent.parent
LOCK: Final = 77000
"""The advisory lock of migrations: two daemons that start together migrate one after the other."""


class LedgerError(Exception):
    """A released SQL file is missing or was changed; the message names it."""


class Script(Struct, frozen=True):
    """One SQL file of the ledger: its path below the house, and its text."""

    path: str
    text: str


class _Books(PostgresqlPsycopgBackend):
    """yoyo's books on a connection of ours."""

    def connect(self, dburi: str) -> psycopg.Connection:
        return psycopg.connect(dburi, autocommit=True)

    def list_tables(self, **kwargs: object) -> list[str]:
        found = self.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        return [name for (name,) in found.fetchall()]


def read_ledger(ledger: Path = LEDGER, house: Path = HOUSE) -> tuple[Script, ...]:
    """Read the files the ledger lists, in its order; LedgerError names one that is gone or
    changed.
    """
    scripts = []
    for line in ledger.read_text(encoding="utf-8").splitlines():
        digest, _, path = line.partition("  ")
        file = house / path
        if not file.is_file():
            message = f"{path} is in the ledger but not here. Install the release again."
            raise LedgerError(message)
        content = file.read_bytes()
        if hashlib.sha256(content).hexdigest() != digest:
            message = f"{path} was changed after its release. Install the release again."
            raise LedgerError(message)
        scripts.append(Script(path, content.decode("utf-8")))
    return tuple(scripts)


def migrate(conninfo: str, ledger: Path = LEDGER, house: Path = HOUSE) -> tuple[str, ...]:
    """Apply what is not applied yet and give its paths. ``conninfo``: a superuser, by the
    socket.
    """
    scripts = read_ledger(ledger, house)
    with _Books(conninfo, "_yoyo_migration") as books:
        books.execute("SET client_min_messages = warning; SET search_path = public")
        books.execute(f"SELECT pg_advisory_lock({LOCK})")
        if books.lock_table not in books.list_tables():
            books.create_lock_table()
        marked = set(books.get_applied_migration_hashes())
        fresh = [(script, Migration(script.path, script.path, str(house))) for script in scripts]
        fresh = [(script, migration) for script, migration in fresh if migration.hash not in marked]
        for script, migration in fresh:
            with books.transaction():
                books.connection.execute(script.text.encode())
                books.execute("RESET ROLE; SET LOCAL search_path = public")
                books.mark_one(migration, log=False)  # its log asks the resolver for our name
    return tuple(script.path for script, _ in fresh)
