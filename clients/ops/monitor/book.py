"""What the monitor knows of the cluster: the present answers, and what it remembers of who fell
silent. Pure.

Invariant: a machine that does not answer is shown as silent since its last sign, with what it was;
its old figures are never shown as if they were present. ``View`` is the ``--json`` answer: new
fields may come, none changes its meaning within a version. It must not know how answers come nor
how they are drawn.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from msgspec import Struct

from clients.ops.seen import Seen
from clients.ops.silence import last_sign_s, names_of
from clients.ops.verdict import (
    Countdown,
    Links,
    NodeStatus,
    primary_of,
    record_of,
    recorded_role,
    verdict,
)
from protocols.peer import Record
from protocols.runbook import advice

EVENTS: Final = 200
"""Lines of history kept: some takeovers; the nodes' logs have the rest."""


class Alarm(Struct, frozen=True):
    """A standing alarm: the runbook's name, the sentence of the moment, what to do first."""

    node: str
    name: str
    text: str
    do: str


class Event(Struct, frozen=True):
    """A line of a node's history."""

    at_s: float
    node: str
    state: str
    text: str


class Node(Struct, frozen=True):
    """One node. ``state`` is what it reports, ``recorded`` what the record says it is. A node that
    does not answer has state ``silent``, ``silent_since_s`` (None: no sign is known) and ``was``.
    """

    node: str
    state: str
    role: str
    recorded: str
    open: bool
    timeline: int
    lag_bytes: int
    healthy: bool
    peer_heard_ms: int
    arbiter_heard_ms: int
    arbiter_beats: str
    links: list[Links]
    countdown: Countdown | None
    loop_lag_ms: int
    disk_free_mb: int
    reason: str
    arbiter: str = "witness"
    silent_since_s: float | None = None
    was: str = ""


class Seat(Struct, frozen=True):
    """A certificate that is connected: its connections, and on how many somebody is signed in."""

    seat: str
    connections: int
    signed_in: int


class View(Struct, frozen=True):
    """Everything the monitor shows. ``lost``: payments a failover now would lose (0), None when
    none could happen. ``silent``: addresses without an answer, and why. ``record_current``: epoch,
    term and what is recorded are the arbiter's own; else the last that anybody read.
    """

    cluster: str
    at_s: float
    primary: str
    copies: int
    epoch: int
    term: int
    paused: bool
    strict: bool
    safe_to_fail_over: bool
    because: str
    lost: int | None
    witness: str
    nodes: list[Node]
    alarms: list[Alarm]
    seats: list[Seat]
    connections: int
    doors_open: bool
    events: list[Event]
    silent: dict[str, str]
    record_current: bool = True


class Book:
    """Takes what was seen each time; gives what is to be shown."""

    def __init__(self, cluster: str) -> None:
        self._cluster = cluster
        self._last: dict[str, tuple[float, NodeStatus]] = {}
        self._events: dict[tuple[str, float, str], Event] = {}
        self._record: Record | None = None

    def view(self, seen: Seen) -> View:
        """Take one look in, and show it."""
        record = self._remember(seen)
        current = record_of(seen.nodes, seen.witness)
        primary = primary_of(seen.nodes)
        judged = verdict(seen.nodes, seen.witness)
        house = primary.house if primary else {}
        return View(
            cluster=self._cluster,
            at_s=seen.at_s,
            primary=primary.node if primary else "",
            copies=primary.copies if primary else 0,
            epoch=max([one.epoch for one in seen.nodes] + [record.epoch if record else 0]),
            term=record.term if record else 0,
            paused=record is not None and record.paused,
            strict=record is not None and record.strict,
            safe_to_fail_over=judged.safe,
            because=judged.because,
            lost=0 if judged.safe else None,
            witness=seen.witness.witness if seen.witness else "",
            nodes=[self._node(name, seen, current) for name in self._names(seen, record)],
            alarms=[
                Alarm(one.node, name, text, advice(name).do)
                for one in seen.nodes
                for name, text in one.alarms.items()
            ],
            seats=_seats(house),
            connections=int(house.get("connections", 0)),
            doors_open=bool(house.get("doors_open", False)),
            events=sorted(self._events.values(), key=lambda one: one.at_s),
            silent=seen.silent,
            record_current=current is not None,
        )

    def _remember(self, seen: Seen) -> Record | None:
        records = [one.record for one in seen.nodes if one.record]
        if seen.witness is not None and seen.witness.record is not None:
            records.append(seen.witness.record)
        records += [self._record] if self._record else []
        newest = max(records, key=lambda one: (one.incarnation, one.epoch), default=None)
        self._record = newest
        for one in seen.nodes:
            self._last[one.node] = (seen.at_s, one)
            for line in one.history:
                event = _event(one.node, line)
                self._events[event.node, event.at_s, event.text] = event
        if len(self._events) > EVENTS:
            kept = sorted(self._events.items(), key=lambda item: item[1].at_s)[-EVENTS:]
            self._events = dict(kept)
        return newest

    def _names(self, seen: Seen, record: Record | None) -> list[str]:
        names = {*self._last, *names_of(seen)}
        if record is not None:
            names |= {record.primary, record.sync, record.prev} - {""}
        return sorted(names)

    def _node(self, name: str, seen: Seen, record: Record | None) -> Node:
        recorded = recorded_role(name, record)
        found = next((one for one in seen.nodes if one.node == name), None)
        if found is None:
            return self._silent(name, seen, recorded)
        return Node(
            node=name,
            state=found.state,
            role=found.role,
            recorded=recorded,
            open=found.open,
            timeline=found.tli,
            lag_bytes=found.lag_bytes,
            healthy=found.healthy,
            peer_heard_ms=found.peer_heard_ms,
            arbiter_heard_ms=found.arbiter_heard_ms,
            arbiter_beats=found.arbiter_beats,
            links=found.links,
            countdown=found.countdown,
            loop_lag_ms=found.loop_lag_ms,
            disk_free_mb=found.disk_free_mb,
            reason=found.reason,
            arbiter=found.arbiter,
        )

    def _silent(self, name: str, seen: Seen, recorded: str) -> Node:
        at_s, last = self._last.get(name, (None, None))
        signs = [one for one in (at_s, last_sign_s(name, seen)) if one is not None]
        return Node(
            node=name,
            state="silent",
            role="none",
            recorded=recorded,
            open=False,
            timeline=0,
            lag_bytes=0,
            healthy=False,
            peer_heard_ms=-1,
            arbiter_heard_ms=-1,
            arbiter_beats="",
            links=[],
            countdown=None,
            loop_lag_ms=0,
            disk_free_mb=-1,
            reason="It does not answer.",
            silent_since_s=max(signs, default=None),
            was=last.state if last is not None else "",
        )


def as_json(view: View) -> dict[str, Any]:
    """The view as plain values."""
    found: dict[str, Any] = msgspec.to_builtins(view)
    return found


def _event(node: str, line: dict[str, Any]) -> Event:
    return Event(
        at_s=float(line.get("wall_s", 0.0)),
        node=node,
        state=str(line.get("state", "")),
        text=str(line.get("text", "")),
    )


def _seats(house: dict[str, Any]) -> list[Seat]:
    seats = house.get("seats", {})
    return [Seat(name, int(count), int(signed)) for name, (count, signed) in seats.items()]
