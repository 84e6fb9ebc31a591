"""What speaks against running a node on this machine: facts in, findings in words out.

Each finding says what is so, why it matters, and what to do. ``grave``: the node would not start,
or a promise would not hold; the others are worth an hour before the night they matter. It reads
nothing itself.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

DAY_S: Final = 86_400
EXPIRY_DAYS: Final = 30
"""A certificate is renewed in office hours of some week before it ends, not in that night."""
MIN_FREE_MB: Final = 1024
"""One wal_keep_size and a day of payments; below it the standby may have to be copied anew."""
MIN_FILES: Final = 1024
"""Sessions of a full hall, PostgreSQL's and the logs."""
MAX_SKEW_S: Final = 2.0
"""No decision reads the wall clock, but receipts and the audit carry it."""
OVERCOMMIT_NEVER: Final = 2


class Finding(Struct, frozen=True):
    """``what`` is so, ``why`` it matters, what to ``do``; each a sentence."""

    code: str
    what: str
    why: str
    do: str
    grave: bool = False


class Paper(Struct, frozen=True):
    """A certificate: its file, whom it names, and when it ends (Unix seconds)."""

    file: str
    names: str
    until_s: float


class Machine(Struct, frozen=True, kw_only=True):
    """What was seen; -1 and '' are unknown. ``trouble``: what could not be looked at, and why."""

    me: str
    data: str
    now_s: float
    papers: tuple[Paper, ...] = ()
    identity: str = ""
    mode: int = -1
    free_mb: int = -1
    open_files: int = -1
    overcommit: int = -1
    pressure: bool = True
    unit: bool = True
    taken: tuple[str, ...] = ()
    unreachable: tuple[str, ...] = ()
    runs: bool = False
    trouble: tuple[tuple[str, str], ...] = ()


def expiring(papers: tuple[Paper, ...], now_s: float) -> tuple[Finding, ...]:
    """Certificates that have ended, or end within EXPIRY_DAYS."""
    found = []
    for one in papers:
        days = int((one.until_s - now_s) // DAY_S)
        if days >= EXPIRY_DAYS:
            continue
        ended = one.until_s <= now_s
        what = f"The certificate {one.file} ({one.names}) "
        what += "has ended." if ended else f"ends in {days} days."
        why = "From that moment the machines and counters that trust it refuse each other."
        do = "Issue it anew with the authority's key, put it there, and restart this node."
        found.append(Finding("certificate", what, why, do, grave=ended))
    return tuple(found)


def findings(seen: Machine) -> tuple[Finding, ...]:
    """Everything found, the grave first."""
    found = [*_troubles(seen), *expiring(seen.papers, seen.now_s), *_data(seen)]
    found += [*_system(seen), *_network(seen)]
    return tuple(sorted(found, key=lambda one: not one.grave))


def _troubles(seen: Machine) -> list[Finding]:
    why = "The node needs it at its start, and would end with the same words."
    return [
        Finding(what, said, why, "Put that right; then check again.", grave=True)
        for what, said in seen.trouble
    ]


def _data(seen: Machine) -> list[Finding]:
    found = []
    wanted = f"node/{seen.me}"
    if seen.identity and seen.identity != wanted:
        what = f"The certificate is that of {seen.identity}, and this node is {wanted}."
        do = "Name the right file in tls.certificate, with the key that belongs to it."
        found.append(Finding("identity", what, "The other machines will refuse it.", do, True))
    if seen.mode >= 0 and seen.mode & 0o077:
        what = f"The database's folder in {seen.data} is open to others (mode {seen.mode:o})."
        do = f"chmod 0700 {seen.data}/postgres/data"
        found.append(Finding("mode", what, "PostgreSQL refuses to start from it.", do, True))
    if 0 <= seen.free_mb < MIN_FREE_MB:
        what = f"The disk of {seen.data} has {seen.free_mb} MiB free."
        why = "A server with a full disk takes no payments and cannot take over."
        found.append(Finding("disk", what, why, f"Make room: at least {MIN_FREE_MB} MiB."))
    return found


def _system(seen: Machine) -> list[Finding]:
    found = []
    if 0 <= seen.open_files < MIN_FILES:
        what = f"This user may open {seen.open_files} files."
        do = f"LimitNOFILE={MIN_FILES} or more in the unit, or ulimit -n."
        found.append(Finding("files", what, "Counters are turned away when they are used up.", do))
    if seen.overcommit not in {-1, OVERCOMMIT_NEVER}:
        what = f"vm.overcommit_memory is {seen.overcommit}."
        why = "When memory is short the kernel kills a PostgreSQL process, and with it the server."
        do = "sysctl -w vm.overcommit_memory=2, if this machine has swap and nothing else to do."
        found.append(Finding("overcommit", what, why, do))
    if not seen.pressure:
        what = "The kernel has no pressure figures (/proc/pressure)."
        why = "Without them a machine that is only slow cannot be told from one that hangs."
        found.append(Finding("pressure", what, why, "Boot with psi=1."))
    if not seen.unit:
        what = "No systemd unit mpower-node is installed."
        why = "After a power cut nobody starts the node."
        do = "Copy deploy/systemd/mpower-node.service to /etc/systemd/system and enable it."
        found.append(Finding("unit", what, why, do))
    return found


def _network(seen: Machine) -> list[Finding]:
    found = []
    if not seen.runs:
        for address in seen.taken:
            what = f"{address} cannot be listened on: taken, or no address of this machine."
            do = "See who has it (ss -ltnp), or correct the address in the settings."
            found.append(Finding("port", what, "The node would not start.", do, grave=True))
    for address in seen.unreachable:
        what = f"Nobody answers at {address}."
        why = "The pair needs both nodes and the arbiter to fail over by itself."
        do = "Start it there, or open the way: cable, address, firewall."
        found.append(Finding("reach", what, why, do))
    return found
