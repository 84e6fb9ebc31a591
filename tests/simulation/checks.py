"""What must be true after every event, judged from outside: true states, never what a node thinks.

The checker sees all standings, both servers, and the register as it really is. It keeps its own
book of what was acknowledged.
"""

from __future__ import annotations

from cluster.record import names_of, sync_name
from cluster.standing import Standing
from protocols.peer import Record
from tests.simulation.node import Node
from tests.simulation.postgres import Commit, Postgres
from tests.simulation.server import Request
from tests.simulation.witness import Witness
from tests.simulation.world import Violation, World


class Checks:
    """All invariants of one run."""

    def __init__(self, world: World, witness: Witness, nodes: dict[str, Node]) -> None:
        self.world, self.witness, self.nodes = world, witness, nodes
        self.record: Record | None = witness.file.record
        self.acknowledged: dict[bytes, tuple[str, int]] = {}
        self.counters: dict[bytes, str] = {}
        self.restored = False
        self.by_term: dict[int, str] = {}
        self.terms: list[tuple[int, str]] = []
        witness.stored = self.on_stored
        for node in nodes.values():
            node.changed = self.on_standing
            node.postgres.released = self._releaser(node)
            node.postgres.renamed = self.on_names

    def fail(self, what: str) -> None:
        """An invariant is broken."""
        raise Violation(what)

    # ---- the record

    def on_stored(self, before: Record | None, after: Record) -> None:
        """The register holds ``after``."""
        known = self.record
        if known is not None and after.epoch <= known.epoch:
            self.fail(f"epoch {after.epoch} stored after {known.epoch}")
        self.record = after
        self.world.note(
            f"record {after.epoch} term {after.term} {after.primary}/{after.sync or '-'}"
            f"{after.sync_gen} {'open' if after.opened else 'claimed'} by {after.op_id}"
        )
        if after.reason.startswith("switchover from"):
            self.world.hit["switched over"] += 1
        if known is not None and after.primary != known.primary:
            self._i3(known, after)
        if after.sync and (known is None or known.sync != after.sync):
            self._i2(after)
        self.on_names()
        for node in self.nodes.values():
            self.alone(node)

    def on_witness_start(self) -> None:
        """The epoch that was ever stored is still there."""
        kept = self.witness.file.record
        if self.record is not None and (kept is None or kept.epoch < self.record.epoch):
            self.fail(f"the witness came back without epoch {self.record.epoch}")
        self.record = kept

    def _i3(self, before: Record, after: Record) -> None:
        may = before.sync == after.primary or (before.prev == after.primary and not before.opened)
        if not may:
            self.fail(f"I3: {after.primary} made itself primary, record.sync was {before.sync!r}")

    def _i2(self, after: Record) -> None:
        """The gate is closed, and the standby has all that anybody can have seen."""
        primary = self.nodes[after.primary].postgres
        standby = self.nodes[after.sync].postgres
        held = len(standby.wal)
        if held < after.min_lsn:
            self.fail(f"I2: {after.sync} holds {held}, the barrier is {after.min_lsn}")
        for key, (_, _, lsn) in primary.visible.items():
            if lsn > held and lsn not in primary.leaked:
                self.fail(f"I2: {key!r} is visible on {after.primary}, not on {after.sync}")
        self.holds_all(standby)

    def on_names(self) -> None:
        """I1: whenever record.sync is set, the primary's names on disk say so."""
        record = self.record
        if record is None or not record.sync:
            return
        names = self.nodes[record.primary].postgres.names
        if names != names_of(record):
            self.fail(f"I1: record.sync is {record.sync}_{record.sync_gen}, names are {names!r}")

    # ---- standings and commits

    def on_standing(self, node: Node) -> None:
        """A node stands somewhere new."""
        stood = node.standing
        if not stood.open:
            return
        self.alone(node)
        server = node.postgres
        if not server.up or server.in_recovery:
            self.fail(f"I4: {node.name} is open without a primary server")
        record = self.record
        if record is not None and record.term == stood.term and not record.opened:
            self.fail(f"I4: {node.name} is open in term {stood.term}, which never was")
        if (stood.term, node.name) not in self.terms:
            self.terms.append((stood.term, node.name))
            self.holds_all(server)

    def alone(self, node: Node) -> None:
        """Never: one may acknowledge alone while another may become primary."""
        stood, record = node.standing, self.record
        if not (stood.open and stood.alone) or record is None:
            return
        if record.primary != node.name or record.sync:
            other = record.sync or record.primary
            self.fail(f"{node.name} may acknowledge alone, but the record has {other}")

    def _releaser(self, node: Node):  # type: ignore[no-untyped-def]  # noqa: ANN202
        def released(commit: Commit) -> None:
            record = self.record
            if record is None or record.primary != node.name or not record.sync or self.restored:
                return
            if node.standing.open and len(self.nodes[record.sync].postgres.wal) < commit.lsn:
                self.fail(
                    f"I1: a commit at {commit.lsn} returned on {node.name} without the standby"
                )

        return released

    def on_read(self, node: Node, stood: Standing, lsn: int) -> None:
        """A row was shown behind an open gate: never one that may still be lost."""
        record = self.record
        if record is None or not record.sync or record.primary != node.name or self.restored:
            return
        if lsn not in node.postgres.leaked and lsn > len(self.nodes[record.sync].postgres.wal):
            self.fail(f"a row at {lsn} was shown on {node.name}, the standby does not have it")

    def on_acknowledge(
        self,
        node: Node,
        stood: Standing,
        request: Request,
        number: int,
        replay: bool,
    ) -> None:
        """A receipt leaves the house."""
        key, record = request.key, self.record
        self.world.note(
            f"{node.name} acknowledges {key.decode()} {number} {'again' if replay else ''}"
        )
        holder = self.by_term.setdefault(stood.term, node.name)
        if holder != node.name:
            self.fail(f"{node.name} and {holder} acknowledge in term {stood.term}")
        known = self.acknowledged.setdefault(key, (request.body, number))
        if known != (request.body, number):
            self.fail(f"{key!r} was {known}, now {(request.body, number)}")
        if record and record.sync and record.primary == node.name and not self.restored:
            standby = self.nodes[record.sync].postgres
            if not any(entry.key == key for entry in standby.wal):
                self.fail(f"{key!r} is acknowledged by {node.name}, not on the sync standby")

    def holds_all(self, server: Postgres) -> None:
        """Every acknowledged payment is in this history, once, under its number."""
        found: dict[bytes, tuple[str, int]] = {}
        series: dict[bytes, int] = {}
        for entry in server.wal:
            if entry.kind != "pay":
                continue
            if entry.key in found:
                self.fail(f"{entry.key!r} is posted twice on {server.name}")
            found[entry.key] = (entry.body, entry.number)
            counter = entry.key[:2]
            if entry.number != series.get(counter, 0) + 1:
                self.fail(f"{counter!r}: number {entry.number} after {series.get(counter, 0)}")
            series[counter] = entry.number
        for key, told in self.acknowledged.items():
            if found.get(key) != told:
                self.fail(f"{key!r} was acknowledged as {told}; {server.name} has {found.get(key)}")

    def name_of_sync(self) -> str:
        """The application name that acknowledges, by the true record."""
        return sync_name(self.record.sync, self.record.sync_gen) if self.record else ""
