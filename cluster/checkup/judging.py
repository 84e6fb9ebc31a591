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
OVERCOMMIT_NEVER: Final = 2


class Finding(Struct, frozen=True):
    """``what`` is so, ``why`` it matters, what to ``do``; each a sentence."""

    code: str
    what: str
    why: str
    do: str
    grave: bool = False


class Paper(Struct, frozen=True):
    """A certificate: its file, whom it names, and when it ends (Unix seconds). ``revokes``: it is
    the authority's list of revoked certificates, which ends too.
    """

    file: str
    names: str
    until_s: float
    revokes: bool = False


class Machine(Struct, frozen=True, kw_only=True):
    """What was seen; -1 and '' are unknown. ``trouble``: what could not be looked at, and why."""

    me: str
    data: str
    now_s: float
    papers: tuple[Paper, ...] = ()
    identity: str = ""
    key_fits: bool = True
    mode: int = -1
    owner: str = ""
    account: str = ""
    clock_kept: bool = True
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
    """Certificates and lists of revoked ones that have ended, or end within EXPIRY_DAYS."""
    found = []
    for one in papers:
        days = int((one.until_s - now_s) // DAY_S)
        if days >= EXPIRY_DAYS:
            continue
        ended = one.until_s <= now_s
        when = "has ended." if ended else f"ends in {days} days."
        if one.revokes:
            what = f"The list of revoked certificates {one.file} ({one.names}) {when}"
            why = "From that moment this machine refuses everybody: a stale list hides the newest."
            do = "'mpower pki publish', then the lines it prints; it is read at once."
            found.append(Finding("revoked", what, why, do, grave=ended))
            continue
        what = f"The certificate {one.file} ({one.names}) {when}"
        why = "From that moment the machines and counters that trust it refuse each other."
        do = "'mpower pki renew', put it there as it says, and restart this node."
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
    if not seen.key_fits:
        what = "The private key in tls.key is not that of the certificate in tls.certificate."
        do = "Put the two files there that were issued together."
        found.append(Finding("key", what, "No connection can be made with them.", do, True))
    if seen.owner and seen.account and seen.owner != seen.account:
        what = (
            f"The database's folder in {seen.data} belongs to {seen.owner}, and PostgreSQL runs as"
            f" {seen.account}."
        )
        do = f"chown -R {seen.account} {seen.data}/postgres, or name the user in postgres.os_user."
        found.append(Finding("owner", what, "PostgreSQL refuses to start from it.", do, True))
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
    if not seen.clock_kept:
        what = "The kernel says that nobody keeps this machine's clock (no NTP)."
        why = "Failover is not concerned, but receipts and the audit carry that time."
        do = "Set up NTP (chrony): chronyc tracking. The pair's clocks: mpower cluster doctor."
        found.append(Finding("clock", what, why, do))
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
