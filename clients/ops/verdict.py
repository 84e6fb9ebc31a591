"""Is the pair safe, and what does one line about each node say: pure, from the machines' own
answers.

A node's answer is what it reports; the record is what the witness keeps: where they differ, both
are shown. Nothing is guessed: what nobody answered is said to be unknown. It must not know how the
answers came.
"""

from __future__ import annotations

from typing import Any, Final

from msgspec import Struct

from clients.ops.notices import LeftBehind, Planned, notices
from protocols.peer import Record
from protocols.runbook import advice

FRESH_MS: Final = 2000
"""A peer not heard for this long is not there, as far as safety goes."""


def hears(heard_ms: int) -> bool:
    """It was heard lately."""
    return 0 <= heard_ms < FRESH_MS


NEITHER: Final = ": neither node answers. Start both, in any order; the record says who may serve"
ALONE: Final = "PRIMARY_SOLO"
HELD: Final = "Paused, what stopped by itself stays down. Go on: mpower cluster resume"


class Links(Struct, frozen=True):
    """One link of a node to its peer."""

    address: str
    open: bool
    heard_ms: int
    trouble: str = ""
    beats: str = ""


class Countdown(Struct, frozen=True):
    """What a node is about to do by itself (takeover, solo, isolation), and in how long."""

    what: str
    in_ms: int


class NodeStatus(Struct, frozen=True):
    """A node's answer to ``status``. Positions in bytes; ``heard_ms`` -1 never."""

    node: str
    state: str
    role: str
    epoch: int
    term: int
    tli: int
    open: bool
    copies: int
    reason: str
    sync_name: str
    flush_lsn: int
    receive_lsn: int
    replay_lsn: int
    lag_bytes: int
    peer_heard_ms: int
    arbiter_heard_ms: int
    links: list[Links]
    alarms: dict[str, str]
    record: Record | None = None
    healthy: bool = False
    history: list[dict[str, Any]] = []
    arbiter_beats: str = ""
    countdown: Countdown | None = None
    loop_lag_ms: int = 0
    disk_free_mb: int = -1
    wall_s: float = 0.0
    """The node's own clock, Unix seconds."""
    house: dict[str, Any] = {}
    """What is built on the node adds: doors_open, connections, seats."""
    kept_record: Record | None = None
    """The newest one kept on its disk; it outlives a restart without an arbiter."""
    planned: Planned | None = None
    left_behind: list[LeftBehind] = []
    """What copies held that were replaced here, oldest first."""
    unfit: list[dict[str, str]] = []
    """What speaks against counting on the other copy: code, why, do."""
    doubt: str = ""
    """Why the arbiter lets nobody claim or go alone."""
    arbiter_at: dict[str, Any] = {}
    """Where the node finds its arbiter, and what it is."""
    arbiter: str = "witness"
    """What keeps the record: a witness, which answers for itself, or an etcd, which does not."""
    peer: str = ""
    addresses: dict[str, list[str]] = {}
    """Where each node's links are, as this node's settings have it."""
    hindrance: str = ""
    """What keeps this standby from taking over, by the guards it decides by."""


class WitnessStatus(Struct, frozen=True):
    """The witness's answer to ``status``."""

    witness: str
    nonce: str
    record: Record | None
    beats: dict[str, int]
    """For each node how long ago its last beat came (milliseconds)."""
    starts: int = 0
    high_flush: int = 0
    doubt: str = ""
    beside: list[str] = []
    """Nodes whose own machine this witness runs on."""
    revoked_list: str = ""
    """The mark of the list of the revoked it goes by; '' from an earlier release."""


class Verdict(Struct, frozen=True):
    """Whether a failover now would lose nothing and could happen, and why (not)."""

    safe: bool
    because: str


def primary_of(nodes: list[NodeStatus]) -> NodeStatus | None:
    """The node that is open for terminals, None without one. Of two it is the later term's: the
    other has not heard yet that it was succeeded, and can acknowledge nothing.
    """
    return max((one for one in nodes if one.open), key=lambda one: one.term, default=None)


def record_of(nodes: list[NodeStatus], witness: WitnessStatus | None) -> Record | None:
    """The record: from the witness, or, where an etcd keeps it, from a node that hears it now."""
    if witness is not None:
        return witness.record
    hearing = [
        one.record
        for one in nodes
        if one.arbiter == "etcd" and hears(one.arbiter_heard_ms) and one.record
    ]
    return max(hearing, key=lambda record: record.epoch, default=None)


def verdict(nodes: list[NodeStatus], witness: WitnessStatus | None) -> Verdict:
    """Judge the pair from whoever answered."""
    primary = primary_of(nodes)
    record = record_of(nodes, witness)
    if witness is not None and record is None:
        return Verdict(safe=False, because=_unmade(nodes))
    if primary is None:
        why = _nobody_open(nodes, record) if nodes else NEITHER
        return Verdict(safe=False, because=f"no node is open for terminals{why}")
    if record is None:
        return Verdict(
            safe=False, because=f"the {primary.arbiter} does not answer: no failover protection"
        )
    if record.paused:
        copies = "" if record.sync else "one copy only, and "
        until = "no automatic takeover until 'mpower cluster resume'"
        return Verdict(safe=False, because=f"{copies}the cluster is paused: {until}")
    standby = next((one for one in nodes if one.node != primary.node), None)
    if standby is None:
        # Its PostgreSQL may still copy: only the primary knows how many copies there are.
        left = "one copy only" if primary.copies == 1 else "it would not take over"
        return Verdict(safe=False, because=f"the other node does not answer: {left}")
    return _of_standby(standby, primary.node, record)


def _unmade(nodes: list[NodeStatus]) -> str:
    """The witness answers and knows of no cluster: it is new, or has lost its disk."""
    if any(one.epoch for one in nodes):
        return "the witness has no record, and the nodes know one: mpower cluster arbiter rebuild"
    return "the witness has no record: there is no cluster yet. Make it: mpower cluster bootstrap"


def _nobody_open(nodes: list[NodeStatus], record: Record | None) -> str:
    """What is known of why, and what is to be done."""
    if record is None:
        last = newest_of(nodes)
        named = next((one for one in nodes if last is not None and one.node == last.primary), None)
        back = f"Bring the {nodes[0].arbiter} back, or the node that is away: what is left goes on"
        if named is None:
            return f", and the record is not known: does the {nodes[0].arbiter} run? {back}"
        return f": {named.node}, the primary as last read, is {named.state}. {back}"
    named = next((one for one in nodes if one.node == record.primary), None)
    if named is not None and record.strict and not record.sync and named.state == ALONE:
        do = "Bring the other back, or accept one copy: mpower cluster strict off"
        return f": {named.node}, the primary by record, has the only copy, and strict is on. {do}"
    if named is not None:
        is_so = f": {named.node}, the primary by record, is {named.state}: {named.reason}"
        return f"{is_so} {HELD}" if record.paused else is_so
    gone = f": {record.primary}, the primary by record, does not answer"
    heir = next((one.node for one in nodes if one.node == record.sync), "")
    if not heir:
        return f"{gone}, and nobody else is in sync by record. Bring {record.primary} back"
    if record.paused:
        do = f"'mpower cluster resume' lets {heir}, which is in sync, take over"
        return f"{gone}, and the cluster is paused. {do}"
    if record.maintenance == heir:
        do = f"'mpower cluster maintenance {heir} off' lets it take over"
        return f"{gone}, and {heir} is in maintenance. {do}"
    return f"{gone}. {heir} takes over by itself; if not: mpower cluster explain"


def _alone(standby: NodeStatus, primary: str, record: Record) -> str:
    """Why there is one copy, the other node answering us."""
    node = standby.node
    if record.maintenance == node:
        return f"{node} is in maintenance until 'mpower cluster maintenance {node} off'"
    if not hears(standby.peer_heard_ms):
        if not hears(standby.arbiter_heard_ms):
            return f"{node} is cut off: it hears neither {primary} nor the {standby.arbiter}"
        return f"{node} and {primary} do not hear each other: their links are cut"
    return f"{node} is {standby.state}, not in sync yet"


def _of_standby(standby: NodeStatus, primary: str, record: Record) -> Verdict:
    """The other node answers, and takeovers are not forbidden."""
    if not record.sync:
        return Verdict(safe=False, because=f"one copy only: {_alone(standby, primary, record)}")
    if standby.state != "STANDBY_SYNC":
        return Verdict(safe=False, because=f"{standby.node} is {standby.state}: {standby.reason}")
    if record.maintenance == standby.node:
        until = f"until 'mpower cluster maintenance {standby.node} off'"
        return Verdict(
            safe=False, because=f"{standby.node} is in maintenance: it takes nothing over {until}"
        )
    if not standby.healthy:
        return Verdict(safe=False, because=f"PostgreSQL of {standby.node} does not answer")
    if not hears(standby.arbiter_heard_ms):
        return Verdict(safe=False, because=f"{standby.node} does not hear the {standby.arbiter}")
    if standby.hindrance:
        why = f"{standby.node} does not take over: {standby.hindrance}"
        return Verdict(safe=False, because=why)
    return Verdict(safe=True, because=f"{standby.node} holds everything acknowledged")


def cluster_json(
    nodes: list[NodeStatus], witness: WitnessStatus | None, silent: dict[str, str]
) -> dict[str, Any]:
    """The ``--json`` answer: nodes, roles, epoch, term, sync, copies, verdict; ``silent`` who did
    not answer, why. ``record_current``: the arbiter itself, or who hears it, says so now; else it
    is the last that a node read, and what a node is by record is unknown.
    """
    current = record_of(nodes, witness)
    record = current or newest_of(nodes)
    primary = primary_of(nodes)
    judged = verdict(nodes, witness)
    return {
        "primary": primary.node if primary else None,
        "open": primary is not None,
        "epoch": max([n.epoch for n in nodes] + [record.epoch if record else 0]),
        "term": record.term if record else 0,
        "sync": (record.sync or None) if record else None,
        "copies": primary.copies if primary else 0,
        "safe_to_fail_over": judged.safe,
        "because": judged.because,
        "nodes": [_node_json(one, current) for one in nodes],
        "witness": (
            {"name": witness.witness, "nonce": witness.nonce, "beats_ms": witness.beats}
            if witness
            else None
        ),
        "notices": [*succeeded(nodes), *notices(planned_of(nodes), record)],
        "record": record,
        "record_current": current is not None,
        "silent": silent,
    }


def newest_of(nodes: list[NodeStatus]) -> Record | None:
    """The newest record that a node has read."""
    known = [one.record for one in nodes if one.record is not None]
    return max(known, key=lambda one: (one.incarnation, one.epoch), default=None)


def succeeded(nodes: list[NodeStatus]) -> list[str]:
    """A sentence for a node that is open and does not know yet that another was made primary."""
    primary = primary_of(nodes)
    return [
        f"{one.node} has not heard yet that {primary.node} is the primary: it is open, and can"
        " acknowledge nothing. It shuts its gate by itself."
        for one in nodes
        if one.open and primary is not None and one.term < primary.term
    ]


def planned_of(nodes: list[NodeStatus]) -> Planned | None:
    """The switchover that the node with the newest record knows of."""
    newest = max(nodes, key=lambda one: one.epoch, default=None)
    return newest.planned if newest is not None else None


def _node_json(node: NodeStatus, record: Record | None) -> dict[str, Any]:
    return {
        "node": node.node,
        "role": node.role,
        "state": node.state,
        "recorded": recorded_role(node.node, record),
        "epoch": node.epoch,
        "term": node.term,
        "timeline": node.tli,
        "open": node.open,
        "healthy": node.healthy,
        "flush_lsn": node.flush_lsn,
        "receive_lsn": node.receive_lsn,
        "replay_lsn": node.replay_lsn,
        "lag_bytes": node.lag_bytes,
        "peer_heard_ms": node.peer_heard_ms,
        "arbiter_heard_ms": node.arbiter_heard_ms,
        "reason": node.reason,
        "alarms": node.alarms,
        "runbook": {kind: advice(kind).do for kind in node.alarms},
        "links": node.links,
        "arbiter_beats": node.arbiter_beats,
        "countdown": node.countdown,
        "history": node.history,
        "left_behind": node.left_behind,
    }


def recorded_role(node: str, record: Record | None) -> str:
    """What the record says this node is."""
    if record is None:
        return "unknown"
    if record.primary == node:
        return "primary" if record.opened else "claimant"
    return "standby in sync" if record.sync == node else "standby"
