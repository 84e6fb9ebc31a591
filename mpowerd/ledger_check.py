"""``mpowerd ledger``: prove the ledger of this machine's own copy, primary or standby.

It asks the local PostgreSQL by its socket, read-only, so it costs the primary nothing when it is
run on the standby, and works when nobody is primary. It must not know the rules: they are the
database's own, the same that ``mpower ledger verify`` walks.
"""

from __future__ import annotations

import json
from typing import Final

import psycopg
from msgspec import Struct, to_builtins

JSON_VERSION: Final = 1
MOST: Final = 50
PARTS: Final = "SELECT parts, accounts, pg_is_in_recovery() FROM mpower.ledger_size_v1()"
CHECK: Final = "SELECT what, which, expected, found FROM mpower.ledger_check_v1(%s, %s) LIMIT %s"


class Wrong(Struct, frozen=True):
    """One thing that does not fit."""

    rule: str
    which: str
    expected: str
    found: str


class Proof(Struct, frozen=True):
    """What was found; ``standby``: this machine's copy is the standby's."""

    standby: bool
    accounts: int
    wrong: tuple[Wrong, ...]


def prove(conninfo: str) -> Proof:
    """Recompute all of it, part by part; psycopg.Error when the database does not answer."""
    with psycopg.connect(conninfo, autocommit=True) as base:
        base.execute("SET default_transaction_read_only = on")
        ((parts, accounts, standby),) = base.execute(PARTS.encode()).fetchall()
        rows = [
            row
            for part in range(parts)
            for row in base.execute(CHECK.encode(), (part, parts, MOST)).fetchall()
        ]
    return Proof(standby, accounts, tuple(Wrong(*row) for row in rows))


def shown(proof: Proof, *, as_json: bool) -> str:
    """The answer on stdout."""
    if as_json:
        said = {"ok": not proof.wrong, **to_builtins(proof)}
        return json.dumps({"version": JSON_VERSION, **said})
    whose = "standby" if proof.standby else "primary"
    if not proof.wrong:
        return f"About {proof.accounts:,} accounts of the {whose}'s copy: all of the ledger fits."
    return "\n".join(
        f"WRONG: {one.which or 'the ledger'}: {one.rule} — must be {one.expected}, is {one.found}"
        for one in proof.wrong
    )
