"""What was seen of a cluster at one moment, and how it is shown: a table for people, JSON for
programs.

A machine that did not answer has a line that says so. Links are several addresses of one node: the
first answer of each node counts. This file must not know how it was asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct

from clients.door import answer
from clients.ops.notices import left_behind, notices
from clients.ops.verdict import (
    NodeStatus,
    WitnessStatus,
    cluster_json,
    newest_of,
    planned_of,
    record_of,
    recorded_role,
    verdict,
)
from protocols.runbook import advice

if TYPE_CHECKING:
    from clients.ops.asking import Heard

COLUMNS: Final = (
    "node",
    "role",
    "state",
    "record says",
    "timeline",
    "lag",
    "peer heard",
    "witness",
)


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
        """The table for people: one line a node, the witness, the verdict, what is wrong."""
        record = record_of(self.nodes, self.witness)
        rows = [COLUMNS, *(_row(one, recorded_role(one.node, record)) for one in self.nodes)]
        widths = [max(len(row[n]) for row in rows) for n in range(len(COLUMNS))]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        ]
        lines += [f"{address}: no answer ({why})" for address, why in self.silent.items()]
        lines += ["", *self._summary()]
        lines += notices(planned_of(self.nodes), record or newest_of(self.nodes))
        for one in self.nodes:
            lines += left_behind(one.node, one.left_behind, self.at_s)
            for kind, text in one.alarms.items():
                lines += [f"alarm on {one.node}: {text}", f"  do: {advice(kind).do}"]
        return "\n".join(lines)

    def _summary(self) -> list[str]:
        primary = next((one for one in self.nodes if one.open), None)
        judged = verdict(self.nodes, self.witness)
        copies = {0: "unknown", 1: "one", 2: "two"}[primary.copies if primary else 0]
        record = record_of(self.nodes, self.witness)
        known = f"epoch {record.epoch}, term {record.term}" if record else "no record known"
        return [
            f"copies: {copies}   {known}",
            f"safe to fail over? {'yes' if judged.safe else 'no'}: {judged.because}",
        ]


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


def _row(node: NodeStatus, recorded: str) -> tuple[str, ...]:
    return (
        node.node,
        node.role + (" (open)" if node.open else ""),
        node.state,
        recorded,
        str(node.tli),
        f"{node.lag_bytes} B" if node.role == "standby" else "-",
        _ago(node.peer_heard_ms),
        _ago(node.arbiter_heard_ms),
    )


def _ago(milliseconds: int) -> str:
    return "never" if milliseconds < 0 else f"{milliseconds / 1000:.1f} s ago"
