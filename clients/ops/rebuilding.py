"""Whether a lost arbiter may be rebuilt, and from what: pure, from the machines' own answers.

The newest record that anybody knows is the base, and no node may have seen a later epoch than any
known record shows: something would be missing. Newest is not the highest epoch: on a file that was
rolled back an old record may have been moved past the true one; so the term goes before the epoch,
and within a term what its own primary knows; and nothing follows a closed record. It must not know
how the answers came.
"""

from __future__ import annotations

from msgspec import Struct

from clients.ops.seen import Seen
from clients.ops.verdict import FRESH_MS, NodeStatus
from protocols.peer import Record

PAIR = 2


class Consent(Struct, frozen=True):
    """Who agrees, who proposes, above which epoch and incarnation."""

    nodes: tuple[str, ...]
    by: str
    epoch: int
    incarnation: int
    abandoned: str
    """The arbiter to which the record was being moved ('' it was not)."""


def newest(node: NodeStatus) -> Record | None:
    """The newest record this node knows, or kept from an earlier life."""
    return node.record if node.record is not None else node.kept_record


def _known(seen: Seen) -> list[tuple[Record, NodeStatus]]:
    """Every record that is known, and by whom; the newest last."""
    known = [(record, one) for one in seen.nodes if (record := newest(one)) is not None]

    def age(pair: tuple[Record, NodeStatus]) -> tuple[int, bool, int, bool, int]:
        record, one = pair
        of_primary = record.primary == one.node
        return record.incarnation, record.moved != "", record.term, of_primary, record.epoch

    return sorted(known, key=age)


def newest_of(seen: Seen) -> Record | None:
    """The newest record that a node knows."""
    known = _known(seen)
    return known[-1][0] if known else None


def cannot(seen: Seen, without: str | None, *, abandon: bool = False) -> str:
    """Why the arbiter may not be rebuilt now, or ''. ``abandon``: the arbiter to which the record
    was being moved is no more, as an operator says.
    """
    names = {one.node for one in seen.nodes}
    if without is not None and without in names:
        return f"{without} answers: it is not powered off. Leave --without away and it is asked."
    if not names:
        return "No node answers."
    if without is None and len(names) < PAIR:
        return (
            f"Only {', '.join(names)} answers, and both nodes must agree. Start the other; if it is"
            " lost, power it off and use --without."
        )
    known = _known(seen)
    if not known:
        return "No node knows a record: this cluster was never made (bootstrap), or all is lost."
    top, _ = known[-1]
    highest = max(record.epoch for record, _ in known)
    for one in seen.nodes:
        if one.epoch > highest:
            return f"{one.node} has seen epoch {one.epoch}, and nobody holds that record."
    if top.moved and not abandon:
        return (
            f"The record was being moved to {top.moved}: 'mpower cluster arbiter replace' goes on"
            " with it. Only if that arbiter is lost for good: --abandon."
        )
    return _still_there(seen, top)


def _still_there(seen: Seen, top: Record) -> str:
    witness = seen.witness
    kind = next(one.arbiter for one in seen.nodes)
    if kind == "witness" and witness is None:
        return "The new witness does not answer. Start it first, with an empty folder."
    if kind == "etcd" and not top.moved and any(_vouches(one, top) for one in seen.nodes):
        return f"The etcd answers and holds epoch {top.epoch}: nothing is lost."
    held = witness.record if witness is not None else None
    if held is not None and not held.moved and _version(held) >= _version(top):
        return f"The arbiter answers and holds epoch {held.epoch}: nothing is lost."
    return ""


def _vouches(node: NodeStatus, top: Record) -> bool:
    """An etcd says nothing itself: a node hears it, without a doubt, with the newest record, and
    knows it for the one that it was. One made anew is heard a moment ago, as the old one was.
    """
    heard = 0 <= node.arbiter_heard_ms < FRESH_MS and "arbiter-other" not in node.alarms
    return heard and node.doubt == "" and node.record == top


def _version(record: Record) -> tuple[int, int, int]:
    return record.incarnation, record.term, record.epoch


def agreed(seen: Seen, without: str | None) -> Consent:
    """From everybody who answered; who knows most proposes."""
    record, by = _known(seen)[-1]
    return Consent(
        nodes=tuple(sorted(one.node for one in seen.nodes if one.node != without)),
        by=by.node,
        epoch=max([record.epoch, *(one.epoch for one in seen.nodes)]),
        incarnation=record.incarnation,
        abandoned=record.moved,
    )
