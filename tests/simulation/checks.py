"""What must be true after every event, judged from outside: true states, never what a node thinks.

The checker sees all standings, both servers, the register as it really is and every
compare-and-swap on its way. Each sentence begins with the name of what is violated: the invariants
I1 to I6 of the cluster, ``gate``, ``epoch``, ``alone``, ``acknowledger``, ``paused``, ``marker``,
``nonce``, ``op_id``, ``stale read``, and those of the books. A copy that a fault has set back
(``lessened``) is not the pair's until the next sync generation: what it holds is not looked at,
what it does is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from cluster import actions as act
from cluster.record import NOBODY_NAMES, is_forced, names_of
from cluster.standing import Standing
from protocols.peer import Record
from tests.simulation.books import Books
from tests.simulation.guards import Guards
from tests.simulation.node import Node
from tests.simulation.postgres import Postgres
from tests.simulation.server import Answer
from tests.simulation.wal import Commit
from tests.simulation.witness import Witness
from tests.simulation.world import Violation, World

LOOK_S: Final = 0.5
MOST_STARTS: Final = 2
"""On a disk that is known to be full: one was ordered before it was, one stood beside a stop."""
STALE_S: Final = 3.0
"""Nobody shows rows for so long after another opened in a later term: T_isolate less T_takeover,
and what clocks' drift, a late message and a tick add."""


class Checks:
    """All invariants of one run."""

    def __init__(self, world: World, witness: Witness, nodes: dict[str, Node]) -> None:
        self.world, self.witness, self.nodes = world, witness, nodes
        self.record: Record | None = witness.file.record
        self.records = {self.record.epoch: self.record} if self.record is not None else {}
        self.books = Books()
        self.guards = Guards(world)
        self.lessened = ""
        self.arbiter_lost = False
        self.flying: dict[str, tuple[Node, act.SwapRecord]] = {}
        self.op_ids: dict[int, set[str]] = {}
        self.by_term: dict[int, str] = {}
        self.by_epoch: dict[int, str] = {}
        self.terms: list[tuple[int, str]] = []
        self.opened_s: dict[int, float] = {}
        self.was_open = dict.fromkeys(nodes, False)
        self.rebuilt: Callable[[], None] = lambda: None
        witness.stored = self.on_stored
        world.after(LOOK_S, self.look)
        for node in nodes.values():
            node.asked, node.told, node.promoting = self.on_asked, self.on_told, self.on_promote
            node.looks.looked = self.on_looked
            node.ordered = self.guards.on_ordered
            node.postgres.released = self._releaser(node)
            node.postgres.renamed = lambda node=node: self.on_names(node)  # type: ignore[misc]
            node.postgres.began = self._beginner(node)

    def fail(self, what: str) -> None:
        """An invariant is broken."""
        raise Violation(what)

    # ---- the record

    def on_stored(self, before: Record | None, after: Record) -> None:
        """The register holds ``after``."""
        if self.arbiter_lost:
            known = self.record
            if after.consented and (known is None or after.incarnation > known.incarnation):
                self.on_rebuilt(after)
            else:
                self._on_lost_ground(before, after)
            return
        known = self.record
        if known is not None and after.epoch != known.epoch + 1:
            self.fail(f"epoch: {after.epoch} stored after {known.epoch}")
        self.record = self.records[after.epoch] = after
        self.op_ids.setdefault(after.term, set()).add(after.op_id)
        self.world.note(
            f"record {after.epoch} term {after.term} {after.primary}/{after.sync or '-'}"
            f"{after.sync_gen} {'open' if after.opened else 'claimed'} by {after.op_id}"
        )
        if after.reason.startswith("switchover from"):
            self.world.hit["switched over"] += 1
        if known is not None:
            self.guards.on_stored(known, after)
            moved = after.primary != known.primary or is_forced(known, after)
            if moved:
                self._i3(known, after)
            if moved or (known.sync and not after.sync):
                self._nonce(known)
        if after.sync and (known is None or known.sync != after.sync):
            self._i2(after)
        for node in self.nodes.values():
            self.on_names(node)
            self.alone(node)

    def on_witness_start(self) -> None:
        """The epoch that was ever stored is still there."""
        if self.arbiter_lost:
            return
        kept = self.witness.file.record
        if self.record is not None and (kept is None or kept.epoch < self.record.epoch):
            self.fail(f"epoch: the witness came back without {self.record.epoch}")
        self.record = kept

    def on_arbiter_lost(self) -> None:
        """The arbiter's file is older than the truth, or gone, until it is rebuilt."""
        self.arbiter_lost = True
        self.flying.clear()

    def on_rebuilt(self, record: Record) -> None:
        """A new incarnation: it must say what the newest record says that was ever on a disk, or
        one after it; what was lost with the arbiter's file before a node kept it bound nobody.
        """
        learned = max(node.disk.learned for node in self.nodes.values())
        true = [one for epoch, one in self.records.items() if epoch >= learned]
        told = _says(record)
        if true and told not in map(_says, true):
            self.fail(f"rebuilt: the record says {told}, the truth is {true[0]}")
        self.arbiter_lost = False
        self.rebuilt()
        self.record = self.records[record.epoch] = record
        self.op_ids.setdefault(record.term, set()).add(record.op_id)
        self.world.note(f"arbiter rebuilt at epoch {record.epoch}")

    def _on_lost_ground(self, before: Record | None, after: Record) -> None:
        """On an older file nothing may be granted, but what was granted may land once more."""
        if after.op_id in self.op_ids.get(after.term, set()):
            return
        same = before is not None and (before.primary, before.sync) == (after.primary, after.sync)
        if not same:
            self.fail(f"rolled back: granted on an old file: {after.primary}/{after.sync or '-'}")

    def _i3(self, before: Record, after: Record) -> None:
        """Only the sync standby claims, or the previous primary takes an unopened claim back."""
        node = self.nodes[after.primary]
        claimed = before.sync == after.primary
        if is_forced(before, after):
            self._forced(before, after)
            return
        back = before.prev == after.primary and not claimed
        if back and (node.disk.kept.rejoining or node.mind.disk.rejoining):
            self.fail(f"marker: {after.primary} took back a claim after its rejoin had begun")
        if not claimed and not (back and not before.opened):
            self.fail(f"I3: {after.primary} made itself primary, record.sync was {before.sync!r}")
        if before.paused:
            self.fail(f"paused: {after.primary} made itself primary")
        self.books.held_by(node.postgres, "when it became primary by record")

    def _forced(self, before: Record, after: Record) -> None:
        """An operator's word, and only where nothing better was left; what it lost is written off.

        The machine that lost its data by a fault must not have been the one that is left.
        """
        if before.sync == after.primary and not self.lessened:
            self.fail(f"force: {after.primary} was in sync and could take over without loss")
        given_up = before.primary != after.primary
        if given_up and self.nodes[before.primary].standing.open:
            self.fail(f"force: {before.primary} serves")
        self.world.hit["forced"] += 1
        self.world.hit["forced with loss"] += self.books.write_off(
            self.nodes[after.primary].postgres
        )

    def _nonce(self, before: Record) -> None:
        """A witness that was restarted grants nothing before both nodes have spoken to it, or a
        person has stood for the lost one in this very life of it.
        """
        silent = sorted(set(self.nodes) - self.witness.spoke)
        if silent and before.trusted == self.witness.register.nonce:
            self.world.hit["a person stood for a lost node"] += 1
        elif silent:
            self.fail(f"nonce: granted by a restarted witness that has not heard {silent}")

    def _i2(self, after: Record) -> None:
        """The commit gate is closed, and the standby has all that anybody can have seen.

        What waited when a server was restarted beneath its daemon is shown behind a shut gate only:
        ``gate`` and ``phantom read`` watch over that.
        """
        self.lessened = ""
        primary = self.nodes[after.primary].postgres
        standby = self.nodes[after.sync].postgres
        held = len(standby.wal)
        if standby.unreadable_from is not None:
            self.fail(f"I2: {after.sync} is in sync, and cannot replay what it takes")
        if held < after.min_lsn:
            self.fail(f"I2: {after.sync} holds {held}, the barrier is {after.min_lsn}")
        if primary.up and primary.in_force == "":
            self.fail(f"I2: {after.sync} is in sync, and commits wait for nobody")
        for key, (_, _, lsn) in primary.visible.items():
            if lsn > held and lsn not in primary.leaked | primary.exposed:
                self.fail(f"I2: {key!r} is visible on {after.primary}, not on {after.sync}")
        self.books.held_by(standby, "when it came in sync")

    # ---- what is asked and ordered

    def on_asked(self, node: Node, order: act.SwapRecord) -> None:
        """A compare-and-swap leaves: it may land until it is answered."""
        kept, expected = node.disk.kept, order.expected or 0
        if expected > kept.epoch and order.record.incarnation <= kept.incarnation:
            self.fail(f"unkept: {node.name} asks on epoch {expected}, on disk is {kept.epoch}")
        if node.looks.told and order.record.op_id.endswith("-claim"):
            self.fail(f"bad disk: {node.name} claims, and its disk is {node.looks.told}")
        if order.record.sync and order.record.sync_gen != (self.record or order.record).sync_gen:
            wanted = names_of(order.record)
            if node.postgres.names != wanted:
                self.fail(f"I5: {node.name} asks for {wanted}, on disk is {node.postgres.names!r}")
        self.flying[order.record.op_id] = (node, order)

    def on_looked(self, node: Node) -> None:
        """A server that cannot live on its disk is not started again and again."""
        if node.looks.starts_on_full > MOST_STARTS:
            times = node.looks.starts_on_full
            self.fail(f"restart loop: {node.name} starts for the {times}. time on a full disk")

    def on_told(self, op_id: str) -> None:
        """Its answer came."""
        self.flying.pop(op_id, None)

    def on_promote(self, node: Node) -> None:
        """A server leaves recovery by order of its daemon."""
        self._authorised(node, "leaves recovery")
        record = node.authority
        if record is not None and node.disk.kept.claim not in self.op_ids.get(record.term, set()):
            self.fail(
                f"op_id: {node.name} promotes in term {record.term}, on disk is the claim "
                f"{node.disk.kept.claim!r}"
            )

    def _beginner(self, node: Node):  # type: ignore[no-untyped-def]  # noqa: ANN202
        def began(standby: bool) -> None:
            if not standby and node.alive and node.mind.up is False:
                self._authorised(node, "starts without standby.signal")

        return began

    def _authorised(self, node: Node, does: str) -> None:
        """I6: the newest record the arbiter has answered to this process names it."""
        known = node.authority
        if known is None or known.primary != node.name:
            self.fail(f"I6: {node.name} {does}, and knows {known and known.primary} as primary")

    def on_names(self, node: Node) -> None:
        """I1: whenever record.sync is set, or may come to be, the primary's names on disk say so.

        I5: a standby carries names that nobody matches until its claim is confirmed.
        """
        record, server = self.record, node.postgres
        if record is None or node.name == self.lessened:
            return
        if record.primary == node.name:
            wanted = names_of(record)
            if not wanted:
                wanted = next(
                    (
                        names_of(order.record)
                        for asker, order in self.flying.values()
                        if asker is node and order.record.sync and order.expected == record.epoch
                    ),
                    "",
                )
            if wanted and server.names != wanted:
                self.fail(f"I1: the record has or may get {wanted}, on disk is {server.names!r}")
        known = node.authority
        claimed = known is not None and known.primary == node.name
        if server.up and server.in_recovery and server.names != NOBODY_NAMES and not claimed:
            self.fail(f"I5: {node.name} is a standby with names {server.names!r}")

    # ---- standings and commits

    def on_standing(self, node: Node) -> None:
        """A node stands somewhere new."""
        stood = node.standing
        opens = stood.open and not self.was_open[node.name]
        self.was_open[node.name] = stood.open
        if stood.reason.startswith("PostgreSQL does not answer") and node.postgres.only_starved:
            self.fail(f"starved: {node.name} takes its server for hung, and the machine starves")
        if stood.reason.startswith("The disk here"):
            self.world.hit["handed over for its disk"] += 1
        if not stood.open:
            return
        self.alone(node)
        server, record = node.postgres, self.record
        if server.in_recovery or not (server.up or server.beneath):
            self.fail(f"I4: {node.name} is open without a primary server")
        if record is not None and record.term == stood.term and not record.opened:
            self.fail(f"I4: {node.name} is open in term {stood.term}, which never was")
        if opens:
            self._gate(node)
            server.exposed.clear()
            if stood.alone:
                self.books.held_by(server, "when it opened alone")
        if (stood.term, node.name) not in self.terms:
            self.terms.append((stood.term, node.name))
            self.opened_s.setdefault(stood.term, self.world.now)
            self.books.held_by(server, "when it opened")

    def _gate(self, node: Node) -> None:
        """The restart barrier: whatever the server shows is on the standby, when the gate opens."""
        record = self.record
        if record is None or record.primary != node.name or not record.sync or self.lessened:
            return
        held = len(self.nodes[record.sync].postgres.wal)
        for key, (_, _, lsn) in node.postgres.visible.items():
            if lsn > held:
                self.fail(f"gate: {node.name} opens and shows {key!r} at {lsn}, in sync are {held}")

    def alone(self, node: Node) -> None:
        """Never: one may acknowledge alone while another may become primary."""
        stood, record = node.standing, self.record
        if not (stood.open and stood.alone) or record is None:
            return
        if record.primary != node.name or record.sync:
            other = record.sync or record.primary
            self.fail(f"alone: {node.name} may acknowledge alone, but the record has {other}")
        for other_node in self.nodes.values():
            if other_node is not node and other_node.standing.open and other_node.standing.alone:
                self.fail("alone: both nodes may acknowledge alone")

    def _in_sync(self, node: Node) -> Postgres | None:
        """The copy that could succeed this primary now, if nothing was lost from either."""
        record = self.record
        if record is None or record.primary != node.name or not record.sync or self.lessened:
            return None
        return self.nodes[record.sync].postgres

    def _releaser(self, node: Node):  # type: ignore[no-untyped-def]  # noqa: ANN202
        def released(commit: Commit) -> None:
            standby = self._in_sync(node)
            foreign = any(one.foreign for one in node.postgres.senders)
            if standby is None or foreign or commit.hasty or not node.standing.open:
                return
            if len(standby.wal) < commit.lsn:
                self.fail(f"I1: a commit at {commit.lsn} returned on {node.name} without the other")

        return released

    def look(self) -> None:
        """Now and then, whoever asks or not: an open gate would show rows."""
        for node in self.nodes.values():
            if node.standing.open and node.frozen is None:
                self._stale(node, node.standing.term)
        self.world.after(LOOK_S, self.look)

    def _stale(self, node: Node, term: int) -> None:
        later = [at_s for opened, at_s in self.opened_s.items() if opened > term]
        if later and self.world.now - min(later) > STALE_S:
            self.fail(f"stale read: {node.name} still shows rows in term {term}")

    def on_show(self, node: Node, stood: Standing, key: bytes, row: tuple[str, int, int]) -> None:
        """A row was shown behind an open gate: never one that may still be lost, never a stale."""
        body, number, lsn = row
        self._stale(node, stood.term)
        if lsn in node.postgres.leaked:
            return  # a wait was cancelled by hand (F1): the roles may not, and a superuser may
        self.world.hit["enquiry answered"] += 1
        self.books.show(key, (body, number))
        standby = self._in_sync(node)
        if standby is not None and lsn > len(standby.wal):
            self.fail(f"phantom read: {key!r} at {lsn} was shown on {node.name} only")

    def on_acknowledge(self, node: Node, answer: Answer) -> None:
        """A definitive answer leaves the house."""
        key, record, stood = answer.request.key, self.record, answer.stood
        self.world.note(
            f"{node.name} {answer.code} {key.decode()} {answer.number} {'again' * answer.replay}"
        )
        holders = (
            self.by_term.setdefault(stood.term, node.name),
            self.by_epoch.setdefault(node.standing.epoch, node.name),
        )
        if holders != (node.name, node.name):
            self.fail(f"acknowledger: {node.name} and {holders} in term {stood.term}")
        row = node.postgres.visible.get(key)
        if answer.code == "RECEIPT":
            self.books.acknowledge(key, (answer.request.body, answer.number))
        elif row is not None:
            self.books.show(key, row[:2])
        standby = self._in_sync(node)
        if standby is not None and record is not None:
            if row is None:
                self.fail(f"lost: {key!r} is told and not on {node.name} itself")
            else:
                self.books.standby_holds(standby, key, row[2])


def _says(record: Record) -> tuple[str, str, int, bool, int]:
    return record.primary, record.sync, record.sync_gen, record.opened, record.term
