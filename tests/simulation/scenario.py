"""One run from one seed: two nodes, a witness, three counters; trouble; then none; then peace.

After the faults have stopped everything must come back by itself: in sync, open, and every payment
answered. ``run(seed)`` raises Violation, or returns what was met.
"""

from __future__ import annotations

from collections import Counter as Tally
from typing import Final, NamedTuple

from cluster import events as ev
from cluster import record as records
from cluster.arbiter.register import Kept
from cluster.machine import step
from cluster.states import State
from tests.simulation.budget import Budget
from tests.simulation.checks import Checks
from tests.simulation.counter import Counter
from tests.simulation.faults.kinds import KINDS
from tests.simulation.network import Network
from tests.simulation.node import Node
from tests.simulation.operators import Operators
from tests.simulation.planted import PLANTED
from tests.simulation.planted_rules import planted_step
from tests.simulation.postgres import Postgres
from tests.simulation.server import Server
from tests.simulation.snapshots import Snapshots
from tests.simulation.wal import Entry
from tests.simulation.witness import Witness
from tests.simulation.world import Violation, World

QUIET_S: Final = 2.5
TROUBLE_S: Final = 13.0
PEACE_S: Final = 75.0
"""After the last fault: the longest chain is a clone, backed-off entries, and a slow terminal."""
_KINDS: Final = tuple(KINDS)
_WEIGHTS: Final = tuple(weight for _, weight in KINDS.values())


class Result(NamedTuple):
    """What one run met."""

    seed: int
    trace: int
    hit: Tally[str]
    acknowledged: int
    terms: int
    virtual_s: float
    calls: int
    lines: list[str]


class Scenario:
    """The whole house of one run."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.network = Network(world)
        servers = {name: Postgres(world, self.network, name) for name in "ab"}
        servers["a"].peer, servers["b"].peer = servers["b"], servers["a"]
        bare = world.chance(0.1)
        kept = Kept() if bare else self._standing_pair(servers)
        self.witness = Witness(world, self.network, kept)
        decide = planted_step(step, world.planted)
        self.nodes = {
            name: Node(world, self.network, self.witness, servers[name], decide) for name in "ab"
        }
        self.nodes["a"].peer, self.nodes["b"].peer = self.nodes["b"], self.nodes["a"]
        self.checks = Checks(world, self.witness, self.nodes)
        self.budget = Budget(self.checks, self.witness)
        self.operators = Operators(self)
        self.checks.rebuilt = self.operators.rebuilt
        self.servers = {name: Server(world, self.nodes[name]) for name in "ab"}
        self.servers["b"].promised = self.servers["a"].promised
        for name, server in self.servers.items():
            server.acknowledge, server.show = self.checks.on_acknowledge, self.checks.on_show
            self.nodes[name].serving = server.is_busy
            self.nodes[name].changed = self._changed
            self.nodes[name].departed = self._fell
        for node in self.nodes.values():
            node.boot()
        self.counters = [
            Counter(world, self.network, name, self.servers) for name in ("C1", "C2", "C3")
        ]
        self.snapshots = Snapshots(self)
        world.after(1.0, self.operators.look)
        if bare:
            world.after(0.5, self._bootstrap)

    @staticmethod
    def _standing_pair(servers: dict[str, Postgres]) -> Kept:
        """A primary and its copy, not yet in sync."""
        for server in servers.values():
            server.has_data, server.tli, server.system_id = True, 1, "s1"
            server.wal = [Entry("initdb", 1), Entry("fence", 1, number=1)]
        servers["a"].production = True
        servers["b"].names = records.NOBODY_NAMES
        return Kept(records.first("city", "s1", "a", "first"))

    def _bootstrap(self) -> None:
        self.ask(self.nodes["a"], "bootstrap")
        if self.checks.record is None:
            self.world.after(0.5, self._bootstrap)

    def _changed(self, node: Node) -> None:
        self.checks.on_standing(node)
        self.servers[node.name].tell_all()

    def _fell(self, node: Node) -> None:
        """A daemon ended by itself: its supervisor tries again, unless a person must look."""
        if node.disk.broken:
            self.world.after(self.world.between(0.5, 2.0), self.operators.mend, node)
        else:
            self.world.after(1.0, self.start, node)

    # ---- what faults do

    def crash(self, node: Node, host: bool, down_s: float, *, tears: bool = False) -> None:
        """Down, and up again later. ``host``: with its power, so that a lying disk is found out."""
        if not node.alive:
            return
        node.crash(host=host)
        if host:
            self._power_lost(node, tears=tears)
        self.world.after(down_s, self.start, node)

    def _power_lost(self, node: Node, *, tears: bool) -> None:
        world, server = self.world, node.postgres
        if server.honest_lsn is not None:
            half = (server.honest_lsn + len(server.wal)) // 2
            back = world.rng.randrange(server.honest_lsn, half + 1)
            if self.budget.may_lose(node, back):
                world.fault("flush that lied was lost", f"{node.name} {len(server.wal)} -> {back}")
                self.budget.lose(node)
                server.set_back(back)
        tears = tears and self.budget.may_lose(node, 0)
        if node.disk.lose_power(world.chance(0.5), tears):
            world.hit["small file torn" if tears else "small file half written"] += 1
            if tears:
                self.budget.lose(node)

    def start(self, node: Node) -> None:
        """Up again, if it is down."""
        if not node.alive:
            node.boot()

    def stop_witness(self, down_s: float) -> None:
        """The arbiter's process is killed; its machine starts it again."""
        if self.witness.alive:
            self.witness.crash()
            self.world.after(down_s, self._start_witness)

    def _start_witness(self) -> None:
        if not self.witness.alive and not self.witness.torn:
            self.witness.restart()
            self.checks.on_witness_start()

    def hang(self, server: Postgres, for_s: float) -> None:
        """The server stands still and goes on."""
        if not server.up or server.hung:
            return
        life = server.life
        server.hung = True
        server.hung_at_s = self.world.now + for_s

        def wake() -> None:
            if server.life == life:
                server.hung = False

        self.world.after(for_s, wake)

    def leave(self, node: Node, away_s: float) -> None:
        """SIGTERM; its supervisor starts it again when it is gone."""
        if not node.alive:
            return

        def gone(node: Node) -> None:
            node.departed = self._fell
            self.world.after(away_s, self.start, node)

        node.departed = gone
        node.feed(ev.Leaving("maintenance"))

    def ask(self, node: Node, verb: str, /, **arguments: str) -> None:
        """An operator asks one node, at the epoch that it shows him."""
        if node.alive:
            record = node.mind.record
            said = {"epoch": str(record.epoch if record else 0), **arguments}
            node.feed(ev.Asked(verb, tuple(sorted(said.items()))))

    def lose_arbiter(self, *, torn: bool) -> None:
        """The arbiter's file is an older one or torn; a person comes to rebuild it."""
        if not (self.witness.alive and self.budget.may_lose_arbiter()):
            return
        if not self.witness.lose_file(torn=torn):
            return
        self.budget.arbiter_lost = True
        self.checks.on_arbiter_lost()
        self.world.after(self.world.between(0.1, 1.0), self._start_witness)
        self.world.after(self.world.between(1.0, 3.0), self.operators.rebuild_arbiter)

    # ---- the course of a run

    def play(self) -> Result:
        """Quiet, trouble, peace."""
        world = self.world
        world.run(QUIET_S)
        self._schedule()
        world.run(QUIET_S + TROUBLE_S)
        self._heal()
        end_s = world.now + PEACE_S
        stop_taking_s = world.now + 2.0
        while world.now < end_s:
            world.run(world.now + 0.5)
            if world.now >= stop_taking_s:
                for counter in self.counters:
                    counter.closing = True
                if self._at_peace():
                    break
        else:
            raise Violation(f"no peace: {PEACE_S} s after the last fault {self._where()}")
        self._final()
        return Result(
            world.seed,
            world.trace,
            world.hit,
            len(self.checks.books.acknowledged),
            len(self.checks.terms),
            world.now,
            world.calls,
            world.lines or [],
        )

    def _schedule(self) -> None:
        world = self.world
        level = world.rng.choice((0.0, 0.0, 0.01, 0.05))
        self.network.loss = level
        self.network.doubling = level
        self.network.lateness = world.rng.choice((0.0, 0.02, 0.1))
        for _ in range(world.rng.randrange(1, 7)):
            kind = self._kind()
            world.after(world.between(0.0, TROUBLE_S - 2.0), self._strike, kind)

    def _kind(self) -> str:
        """Any; where a bug is planted, often one that brings it out."""
        rng = self.world.rng
        out = sorted({one for bug in self.world.planted for one in PLANTED[bug].brought_out_by})
        return rng.choice(out) if out and rng.random() < 0.7 else rng.choices(_KINDS, _WEIGHTS)[0]

    def _strike(self, kind: str) -> None:
        self.world.fault(kind, " ")
        KINDS[kind][0](self)

    def _heal(self) -> None:
        world = self.world
        world.note("HEAL")
        self.network.heal()
        self.witness.slow_s = 0.0
        self.witness.doomed = None
        if self.witness.frozen is not None:
            self.witness.thaw()
        self._start_witness()
        for node in self.nodes.values():
            if node.frozen is not None:
                node.thaw()
            self.start(node)
            server = node.postgres
            server.hung, server.slow_s, server.stalled_until_s = False, 0.0, 0.0
            server.full, server.honest_lsn, server.async_until_s = False, None, 0.0
            server.filling = server.read_only = False
            server.disk_hung_until_s = server.starved_until_s = 0.0
            server.replay_paused, node.disk.doomed = False, None
        for counter in self.counters:
            counter.thaw()
        world.after(1.0, lambda: self.operators.look(peace=True))

    def _at_peace(self) -> bool:
        record = self.checks.record
        if record is None or not record.sync:
            return False
        primary, standby = self.nodes[record.primary], self.nodes[record.sync]
        good = primary.mind.state is State.PRIMARY_SYNC and standby.mind.state is State.STANDBY_SYNC
        return good and primary.standing.open and all(one.at_rest for one in self.counters)

    def _where(self) -> str:
        states = ", ".join(
            f"{node.name} {node.mind.state} ({node.mind.reason})" for node in self.nodes.values()
        )
        rest = [(one.name, sorted(one.journal)) for one in self.counters if not one.at_rest]
        return f"{states}; record {self.checks.record}; unanswered {rest}"

    def _final(self) -> None:
        record = self.checks.record
        assert record is not None
        primary, standby = self.nodes[record.primary].postgres, self.nodes[record.sync].postgres
        self.checks.books.held_by(primary, "in the end")
        self.checks.books.held_by(standby, "in the end")
        for counter in self.counters:
            for seq, number in counter.receipts.items():
                key = f"{counter.name}{seq}".encode()
                if key in self.checks.books.written_off:
                    continue
                if self.checks.books.acknowledged.get(key, ("", 0))[1] != number:
                    raise Violation(f"{key!r} printed {number}, the house says otherwise")


def run(seed: int, planted: frozenset[str] = frozenset(), *, verbose: bool = False) -> Result:
    """Play one seed."""
    world = World(seed, planted)
    if verbose:
        world.lines = []
    try:
        return Scenario(world).play()
    except Violation as broken:
        told = Violation(f"seed {seed} at {world.now:.3f} s: {broken}")
        told.lines = world.lines or []
        raise told from None
