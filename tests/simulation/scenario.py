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
from tests.simulation import planted as plants
from tests.simulation.checks import Checks
from tests.simulation.counter import Counter
from tests.simulation.faults import KINDS
from tests.simulation.network import Network
from tests.simulation.node import Node
from tests.simulation.postgres import Entry, Postgres
from tests.simulation.server import Server
from tests.simulation.witness import Witness
from tests.simulation.world import Violation, World

QUIET_S: Final = 2.5
TROUBLE_S: Final = 13.0
PEACE_S: Final = 75.0
"""After the last fault: the longest chain is a clone, backed-off entries, and a slow terminal."""
LEAST_SET_BACK: Final = 8
"""WAL entries behind the other copy: less than a start itself writes would not show."""
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
        decide = plants.planted_step(step, world.planted)
        self.nodes = {
            name: Node(world, self.network, self.witness, servers[name], decide) for name in "ab"
        }
        self.nodes["a"].peer, self.nodes["b"].peer = self.nodes["b"], self.nodes["a"]
        self.checks = Checks(world, self.witness, self.nodes)
        self.servers = {name: Server(world, self.nodes[name]) for name in "ab"}
        for name, server in self.servers.items():
            server.acknowledge = self.checks.on_acknowledge
            server.read = self.checks.on_read
            self.nodes[name].serving = server.is_busy
            self.nodes[name].changed = self._changed
        for node in self.nodes.values():
            node.boot()
        self.counters = [
            Counter(world, self.network, name, self.servers) for name in ("C1", "C2", "C3")
        ]
        self.snapshots: dict[str, list[int]] = {"a": [], "b": []}
        world.after(1.0, self._snapshot)
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

    def _snapshot(self) -> None:
        """Every second somebody copies the disks: one that is restored is that old at least."""
        for name, node in self.nodes.items():
            self.snapshots[name] = [*self.snapshots[name], len(node.postgres.wal)][-4:]
        self.world.after(1.0, self._snapshot)

    # ---- what faults do

    def crash(self, node: Node, *, host: bool, down_s: float) -> None:
        """Down, and up again later."""
        if not node.alive:
            return
        node.crash(host=host)
        self.world.after(down_s, self.start, node)

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
        if not self.witness.alive:
            self.witness.restart()
            self.checks.on_witness_start()

    def hang(self, server: Postgres, for_s: float) -> None:
        """The server stands still and goes on."""
        if not server.up or server.hung:
            return
        life = server.life
        server.hung = True

        def wake() -> None:
            if server.life == life:
                server.hung = False

        self.world.after(for_s, wake)

    def leave(self, node: Node, away_s: float) -> None:
        """SIGTERM; its supervisor starts it again when it is gone."""
        if not node.alive:
            return
        node.departed = lambda gone: self.world.after(away_s, self.start, gone)
        node.feed(ev.Leaving("maintenance"))

    def ask(self, node: Node, verb: str, **arguments: str) -> None:
        """An operator asks one node, at the epoch that it shows him."""
        if node.alive:
            record = node.mind.record
            said = {"epoch": str(record.epoch if record else 0), **arguments}
            node.feed(ev.Asked(verb, tuple(sorted(said.items()))))

    def restore_snapshot(self) -> None:
        """One server of a pair in sync, while it is down, is set back to what it was."""
        record = self.checks.record
        if record is None or not record.sync or self.checks.restored:
            return
        node = self.nodes[self.world.rng.choice((record.sync, record.sync, record.primary))]
        server = node.postgres
        if not node.alive or not server.up or node.mind.state is State.GOING_SOLO:
            return  # one copy that is set back is past all promises
        held = min(len(server.wal), len(server.peer.wal))
        least = max(record.min_lsn, 1)
        taken = [max(least, one) for one in self.snapshots[node.name][:-1]]
        older = [one for one in taken if one + LEAST_SET_BACK < held]
        if not older:
            return
        back = self.world.rng.choice(older)
        node.crash(host=True)
        self.checks.restored = True  # what it had acknowledged is gone from it
        del server.wal[back:]
        self.world.after(self.world.between(0.3, 2.0), self.start, node)

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
            raise Violation(f"no peace {PEACE_S} s after the last fault: {self._where()}")
        self._final()
        return Result(
            world.seed,
            world.trace,
            world.hit,
            len(self.checks.acknowledged),
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
            kind = world.rng.choices(_KINDS, _WEIGHTS)[0]
            world.after(world.between(0.0, TROUBLE_S - 2.0), self._strike, kind)

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
        if self.checks.record is not None and self.checks.record.paused:
            for node in self.nodes.values():
                world.after(1.0, self.ask, node, "resume")

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
        self.checks.holds_all(primary)
        self.checks.holds_all(standby)
        for counter in self.counters:
            for seq, number in counter.receipts.items():
                key = f"{counter.name}{seq}".encode()
                if self.checks.acknowledged.get(key, ("", 0))[1] != number:
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
