"""What was seen of a cluster at one moment, and how it is shown: a table for people, JSON for
programs.

A machine that did not answer has one line that says so. Links are several addresses of one node:
the first answer of each node counts. This file must not know how it was asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct

from clients.door import answer
from clients.ops.notices import left_behind, notices
from clients.ops.silence import sentences
from clients.ops.strips import cut, lag, strips, text
from clients.ops.verdict import (
    NodeStatus,
    WitnessStatus,
    cluster_json,
    hears,
    newest_of,
    planned_of,
    primary_of,
    record_of,
    recorded_role,
    succeeded,
    verdict,
)
from protocols.runbook import advice

if TYPE_CHECKING:
    from clients.ops.asking import Heard
    from protocols.peer import Record

COLUMNS: Final = ("node", "role", "state", "record says", "tl", "lag", "links")
WIDTH: Final = 80


class Seen(Struct, frozen=True):
    """The answers to what was asked at ``at_s`` (Unix seconds); ``places`` an address of each node
    that answered; ``silent`` why others did not.
    """

    nodes: list[NodeStatus]
    witness: WitnessStatus | None
    places: dict[str, str]
    silent: dict[str, str]
    at_s: float
    asked_witness: str = ""
    """The witness's address, where one was asked."""

    def show(self, *, as_json: bool) -> None:
        """Print it on stdout."""
        data = cluster_json(self.nodes, self.witness, self.silent)
        builtin: dict[str, Any] = msgspec.to_builtins({"at_s": self.at_s, **data})
        answer(builtin, self.table() if not as_json else "", as_json=as_json)

    def table(self) -> str:
        """The page for people, 80 columns wide but for sentences: a line a node, the beats on every
        link, the verdict, what people decided, what is wrong.
        """
        record = record_of(self.nodes, self.witness)
        lines = tabled([COLUMNS, *(_row(one, record) for one in self.nodes)])
        lines += sentences(self)
        if self.nodes:
            lines += ["", *(text(cut(one, WIDTH)) for one in strips(self.nodes))]
        lines += ["", *self._summary(record)]
        lines += succeeded(self.nodes)
        lines += notices(planned_of(self.nodes), record or newest_of(self.nodes))
        for one in self.nodes:
            lines += left_behind(one.node, one.left_behind, self.at_s)
        for (kind, sentence), on in _alarms(self.nodes).items():
            lines += [f"alarm on {' and '.join(on)}: {sentence}", f"  do: {advice(kind).do}"]
        return "\n".join(lines)

    def _summary(self, record: Record | None) -> list[str]:
        primary = primary_of(self.nodes)
        judged = verdict(self.nodes, self.witness)
        alone = record is not None and not record.sync  # then there is one, whoever serves it
        counted = primary.copies if primary else int(alone)
        copies = {0: "unknown", 1: "one", 2: "two"}[counted]
        lost = "yes, lost: 0" if judged.safe else "no"
        return [
            f"copies: {copies}   {self._known(record)}",
            f"safe to fail over? {lost}: {judged.because}",
        ]

    def _known(self, record: Record | None) -> str:
        """The record now; while nobody can say it, that, and the last that was read."""
        if record is not None:
            return f"epoch {record.epoch}, term {record.term}"
        if self.witness is not None:
            return "no record was ever made"
        last = newest_of(self.nodes)
        if last is None:
            return "record unknown"
        sync = f"{last.sync} in sync" if last.sync else "one copy"
        was = f"epoch {last.epoch}, term {last.term}, {last.primary} primary, {sync}"
        return f"record unknown; last read: {was}"


def tabled(rows: list[tuple[str, ...]]) -> list[str]:
    """Rows with their cells under each other."""
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _alarms(nodes: list[NodeStatus]) -> dict[tuple[str, str], list[str]]:
    """Each alarm once, with the nodes it stands on."""
    found: dict[tuple[str, str], list[str]] = {}
    for one in nodes:
        for said in one.alarms.items():
            found.setdefault(said, []).append(one.node)
    return found


def sorted_out(heard: list[Heard], links: int, at_s: float) -> Seen:
    """Sort answers into nodes and witness: the first ``links`` were asked as nodes."""
    nodes: dict[str, NodeStatus] = {}
    places: dict[str, str] = {}
    silent: dict[str, str] = {}
    witness: WitnessStatus | None = None
    for at, one in enumerate(heard):
        if one.answer is None or not one.answer.ok:
            silent[one.address] = one.trouble or (one.answer.sentence if one.answer else "")
        elif at >= links:
            witness = msgspec.json.decode(one.answer.data, type=WitnessStatus)
        else:
            node = msgspec.json.decode(one.answer.data, type=NodeStatus)
            nodes.setdefault(node.node, node)
            places.setdefault(node.node, one.address)
    arbiter = heard[links].address if len(heard) > links else ""
    found = sorted(nodes.values(), key=lambda one: one.node)
    return Seen(found, witness, places, silent, at_s, arbiter)


def _row(node: NodeStatus, record: Record | None) -> tuple[str, ...]:
    alive = sum(link.open and hears(link.heard_ms) for link in node.links)
    return (
        node.node,
        node.role + (" (open)" if node.open else ""),
        node.state,
        recorded_role(node.node, record),
        str(node.tli),
        lag(node),
        f"{alive} of {len(node.links)}",
    )
