"""Whether a living record may be moved to another arbiter, and how far a move has come: pure, from
the nodes' own answers.

The order is what makes it safe: both nodes name the same new arbiter, the old one is closed by a
confirmed swap, and only then the new one is given the record, in the next incarnation. A move that
stopped after the closing goes on from there. It must not know how the answers came.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from clients.ops.rebuilding import PAIR, newest, newest_of
from clients.ops.seen import Seen
from clients.ops.verdict import FRESH_MS
from protocols.peer import Record


class Prospect(Struct, frozen=True):
    """What one node's settings name (``next``) beside what it works with (``now``), and what was
    found there: a record, nothing, or ``trouble``.
    """

    now: str
    next: str
    holds: Record | None = None
    trouble: str = ""


class Move(Struct, frozen=True):
    """From the record that is known, to the arbiter of that name; ``closed``: the old one is."""

    record: Record
    to: str
    closed: bool
    nodes: tuple[str, ...]


def cannot_move(seen: Seen, prospects: dict[str, Prospect]) -> str:
    """Why the record cannot be moved now, or ''."""
    names = [one.node for one in seen.nodes]
    if len(names) < PAIR:
        return (
            f"Only {names[0] if names else 'nobody'} answers, and both nodes must agree. Start the"
            " other first."
        )
    record = newest_of(seen)
    if record is None:
        return "No node knows a record: there is nothing to move. First: mpower cluster bootstrap."
    return _not_agreed(prospects, record) or _not_ready(seen, prospects, record)


def _not_agreed(prospects: dict[str, Prospect], record: Record) -> str:
    named = {node: one.next for node, one in sorted(prospects.items())}
    for node, one in prospects.items():
        if one.next == "":
            return f"The settings of {node} cannot be read: {one.trouble}"
    if len(set(named.values())) > 1:
        said = ", ".join(f"{node}: {name}" for node, name in named.items())
        return f"The nodes' settings name different arbiters ({said}). Make them the same."
    to = next(iter(named.values()))
    if record.moved not in {"", to}:
        return (
            f"The record was moved to {record.moved} and is not there yet, but the settings name"
            f" {to}. Put {record.moved} back into both, and ask again; if it is lost for good:"
            " mpower cluster arbiter rebuild --abandon"
        )
    if record.moved:
        return ""
    if all(one.now == to for one in prospects.values()):
        return (
            f"Both nodes work with {to}, and their settings name it: nothing is to be moved. Write"
            " the new arbiter into the settings of both nodes (cluster.arbiter and what belongs to"
            " it), do not restart them, and ask again."
        )
    for node, one in prospects.items():
        if one.now == to:
            return (
                f"{node} was restarted and works with {to} already, which has no record. Put the"
                " old arbiter back into its settings and restart it, then the new one, and ask"
                " again without a restart."
            )
    return ""


def _not_ready(seen: Seen, prospects: dict[str, Prospect], record: Record) -> str:
    for node, one in sorted(prospects.items()):
        if one.trouble:
            return f"{node} cannot use {one.next}: {one.trouble}."
        held = one.holds
        if held is None:
            continue
        if held.cluster_id != record.cluster_id:
            return f"{one.next} holds the record of cluster {held.cluster_id}. Use an empty one."
        if not held.moved and held.incarnation <= record.incarnation and held != record:
            return (
                f"{one.next} holds an old record of this cluster (epoch {held.epoch}). Empty it"
                " first: stop it, move its file away, start it."
            )
    for status in () if record.moved else seen.nodes:
        if not 0 <= status.arbiter_heard_ms < FRESH_MS:
            return (
                f"{status.node} does not hear the present arbiter, so it cannot be closed. Start"
                " it; if it is lost for good: mpower cluster arbiter rebuild"
            )
        if status.doubt:
            return f"The present arbiter is in doubt: {status.doubt}. Mend that first."
    return ""


def planned(seen: Seen, prospects: dict[str, Prospect]) -> Move:
    """What is to be done, after ``cannot_move`` had nothing to say."""
    record = newest_of(seen)
    assert record is not None, "it was asked whether it can be"
    to = next(iter(prospects.values())).next
    nodes = tuple(sorted(one.node for one in seen.nodes))
    return Move(record=record, to=to, closed=record.moved != "", nodes=nodes)


def is_closed(seen: Seen, move: Move) -> bool:
    """Both nodes know, and have on disk, that the old arbiter is closed."""
    known = [record.moved for one in seen.nodes if (record := newest(one)) is not None]
    return known == [move.to] * PAIR


def works_with(seen: Seen, move: Move) -> bool:
    """Both nodes ask the new arbiter, and hear it."""
    at: list[Any] = [one.arbiter_at.get("name") for one in seen.nodes]
    heard = all(0 <= one.arbiter_heard_ms < FRESH_MS for one in seen.nodes)
    return at == [move.to] * PAIR and heard


def is_there(seen: Seen, move: Move) -> bool:
    """Both nodes have read the record in its new place."""
    known = [one.record for one in seen.nodes if one.record is not None]
    later = [one for one in known if one.incarnation > move.record.incarnation and not one.moved]
    return len(later) == PAIR
