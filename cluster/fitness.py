"""May this standby be counted on? What is known of both servers in, complaints in words out.

Asked before a sync entry, and by whoever explains or checks the pair. Invariant: what is not known
is a complaint, never taken for good: a copy that loses what it says it has flushed, or that cannot
be promoted with the primary's sessions, is no second copy. It changes nothing and must not know
where the facts came from.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from cluster.events import Facts, Walsender
from cluster.mind import Mind
from cluster.safety import No
from cluster.states import STANDBYS, State
from protocols.peer import Ground, NodeBeat

MUST_BE: Final[dict[str, tuple[tuple[str, ...], str]]] = {
    "fsync": (("on",), "a power cut then loses what it has said to be on its disk"),
    "full_page_writes": (("on",), "a power cut then leaves torn pages that nothing mends"),
    "synchronous_commit": (
        ("on", "remote_apply"),
        "commits then return before the other node's disk has them",
    ),
    "restart_after_crash": (("off",), "a crashed session then shows what was never acknowledged"),
}
"""Setting → the values under which a flush means that a payment is kept, and why no other."""
NOT_LOWER: Final = (
    "max_connections",
    "max_worker_processes",
    "max_wal_senders",
    "max_prepared_transactions",
    "max_locks_per_transaction",
)
"""A standby with less stops replaying (PostgreSQL's manual, hot standby), so it never promotes."""
MAJOR: Final = 10_000
"""server_version_num of one major release to the next."""
PRIMARIES: Final = frozenset(
    {State.PRIMARY_SYNC, State.PRIMARY_STALLED, State.PRIMARY_SOLO, State.SYNC_ENTRY}
)


class Side(Struct, frozen=True):
    """One server of the two, as far as it is known."""

    node: str
    ground: Ground | None
    system_id: str
    tli: int


def settings_complaints(side: Side) -> tuple[No, ...]:
    """What is wrong with one server by itself."""
    if side.ground is None:
        why = f"{side.node} has not told the settings of its PostgreSQL"
        do = f"Is mPower of {side.node} of the same release? Is its PostgreSQL up? See its log."
        return (No("SETTINGS_UNKNOWN", why, do),)
    found = []
    for name, (good, harm) in MUST_BE.items():
        value = getattr(side.ground, name)
        if value not in good:
            do = (
                f"Nothing of mPower sets that: find who did (ALTER SYSTEM, a postmaster option),"
                f" then restart the node on {side.node}, which writes its settings anew."
            )
            why = f"{name} is {value} on {side.node}: {harm}"
            found.append(No(name.upper(), why, do))
    if side.ground.weakened:
        why = f"{side.ground.weakened} on {side.node}: its commits would not wait for both disks"
        do = "Take it back: ALTER ROLE … / ALTER DATABASE … RESET synchronous_commit."
        found.append(No("SYNCHRONOUS_COMMIT", why, do))
    return tuple(found)


def pair_complaints(primary: Side, standby: Side) -> tuple[No, ...]:
    """What of the standby does not fit the primary it follows."""
    found = []
    if standby.system_id != primary.system_id:
        why = (
            f"{standby.node} holds another database (system {standby.system_id or 'unknown'},"
            f" not {primary.system_id})"
        )
        do = f"Move its data folder away and start {standby.node}: it copies {primary.node} anew."
        found.append(No("SYSTEM_ID", why, do))
    if primary.ground is not None and standby.ground is not None:
        found += _unlike(primary, primary.ground, standby, standby.ground)
    if standby.tli != primary.tli:
        why = f"{standby.node} is on timeline {standby.tli}, {primary.node} on {primary.tli}"
        do = f"It follows by itself in a moment; if not, see why in the log of {standby.node}."
        found.append(No("TIMELINE", why, do))
    return tuple(found)


def _unlike(primary: Side, here: Ground, standby: Side, there: Ground) -> list[No]:
    found = []
    if there.version // MAJOR != here.version // MAJOR:
        why = (
            f"{standby.node} runs PostgreSQL {there.version // MAJOR},"
            f" {primary.node} {here.version // MAJOR}"
        )
        do = f"Set postgres.bindir on {standby.node} to the same major release and restart it."
        found.append(No("VERSION", why, do))
    for name in NOT_LOWER:
        mine, theirs = getattr(here, name), getattr(there, name)
        if theirs < mine:
            why = f"{name} is {theirs} on {standby.node} and {mine} on {primary.node}"
            do = f"Raise it on {standby.node} to at least {mine} and restart that node."
            found.append(No(name.upper(), why, do))
    return found


def stream_complaints(
    peer: str, beat: NodeBeat, rows: tuple[Walsender, ...], hosts: tuple[str, ...]
) -> tuple[No, ...]:
    """Is what streams under the peer's name the peer? ``hosts``: its addresses (empty: any)."""
    found = []
    named = [one for one in rows if one.application_name.startswith(f"{peer}_")]
    streaming = [one for one in named if one.state == "streaming"]
    for one in named:
        if not comes_from(one.address, hosts):
            why = f"a server at {one.address} streams under the name of {peer}, which is not there"
            do = f"Find what runs at {one.address} and stop it; change the replication password."
            found.append(No("FOREIGN", why, do))
    if len(streaming) > 1:
        why = f"{len(streaming)} servers stream under the name of {peer}"
        do = f"One is a copy of {peer} (a restored one?): stop that. See pg_stat_replication."
        found.append(No("FOREIGN", why, do))
    elif streaming and not beat.receiving:
        why = f"something streams under the name of {peer}, but {peer} itself receives nothing"
        do = f"If that lasts: find it in pg_stat_replication and stop it; then see {peer}'s log."
        found.append(No("NOT_RECEIVING", why, do))
    if beat.replay_paused:
        why = f"replay is paused on {peer}: a takeover would first replay all that waits there"
        do = f"On {peer}: SELECT pg_wal_replay_resume(); or see in its log why it stopped."
        found.append(No("REPLAY_PAUSED", why, do))
    return tuple(found)


def comes_from(address: str, hosts: tuple[str, ...]) -> bool:
    """One of these addresses or networks; '' is the socket of this machine, which only its own
    people reach.
    """
    if not address or not hosts:
        return True
    at = ipaddress.ip_address(address.partition("%")[0])
    return any(at in ipaddress.ip_network(host.partition("%")[0], strict=False) for host in hosts)


def complaints(mind: Mind) -> tuple[No, ...]:
    """Everything that speaks against counting on the standby of this primary; () on a standby
    means that its own settings are good.
    """
    facts = mind.facts
    if facts is None:
        return ()
    mine = Side(mind.me, facts.ground, mind.disk.system_id, mind.disk.tli)
    found = settings_complaints(mine)
    beat = mind.beat
    if mind.state not in PRIMARIES or beat is None or beat.state not in STANDBYS:
        return found
    theirs = Side(mind.peer, beat.ground, beat.system_id, beat.tli)
    found += settings_complaints(theirs) + pair_complaints(mine, theirs)
    return found + _stream(mind, facts, beat)


def _stream(mind: Mind, facts: Facts, beat: NodeBeat) -> tuple[No, ...]:
    return stream_complaints(mind.peer, beat, facts.walsenders, facts.peer_hosts)


PASSING: Final = frozenset({"TIMELINE", "SETTINGS_UNKNOWN", "NOT_RECEIVING"})
"""What every standby shows in its first second: explained when asked for, no alarm."""


def lasting(found: tuple[No, ...]) -> tuple[No, ...]:
    """What will not go away by itself."""
    return tuple(one for one in found if one.code not in PASSING)


def told(found: tuple[No, ...]) -> list[Mapping[str, str]]:
    """For a status answer."""
    return [{"code": one.code, "why": one.why, "do": one.do} for one in found]
