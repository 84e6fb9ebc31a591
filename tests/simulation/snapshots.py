"""Copies that somebody takes of the servers' disks, and what comes of putting one back.

A copy of a pair in sync that is set back is one failure: the other holds all. A primary that serves
alone and is set back must not open on the older copy; when it says that it was set back, a person
puts the newest copy in its place. Such a copy is a second old at least, or lacks no more than what
a start writes by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from tests.simulation.disk import Keepsake
from tests.simulation.wal import Entry

if TYPE_CHECKING:
    from tests.simulation.node import Node
    from tests.simulation.scenario import Scenario

EVERY_S: Final = 1.0
KEPT: Final = 4
MOMENT_S: Final = 0.005
LOOKED_FOR_S: Final = 6.0
LOOKS_S: Final = 0.5
"""Between two looks at a primary that was set back."""
TAIL: Final = 8
"""WAL entries: a start, its fence and the barrier's commits write as many."""


class Snapshot(NamedTuple):
    """One server's disk as somebody copied it."""

    lsn: int
    names: str
    kept: Keepsake


class Newest(NamedTuple):
    """The disk of a primary that was alone, just before an older copy of it was put back."""

    wal: list[Entry]
    names: str
    kept: Keepsake


class Snapshots:
    """Of one run."""

    def __init__(self, run: Scenario) -> None:
        self.run = run
        self.taken: dict[str, list[Snapshot]] = {name: [] for name in run.nodes}
        run.world.after(EVERY_S, self._take)

    def _take(self) -> None:
        for name, node in self.run.nodes.items():
            taken = Snapshot(len(node.postgres.wal), node.postgres.names, node.disk.kept)
            self.taken[name] = [*self.taken[name], taken][-KEPT:]
        self.run.witness.keep_backup()
        self.run.world.after(EVERY_S, self._take)

    def restore(self) -> None:
        """One server of a pair in sync is set back to what it was; half of the time with all of
        its machine, small file and names.
        """
        record = self.run.checks.record
        if record is not None and record.sync:
            name = self.run.world.rng.choice((record.sync, record.sync, record.primary))
            self._set_back(self.run.nodes[name], self.run.budget.may_lose, "copy set back")

    def restore_only_copy(self) -> None:
        """The same of a primary that serves alone; a person has its newest copy at hand."""
        record = self.run.checks.record
        if record is None or record.sync:
            return
        node = self.run.nodes[record.primary]
        newest = Newest(list(node.postgres.wal), node.postgres.names, node.disk.kept)
        if self._set_back(node, self.run.budget.may_set_back_alone, "only copy was older"):
            self.run.world.after(LOOKS_S, self._put_back, node, newest)

    def lose_end(self, until_s: float) -> None:
        """The primary's disk loses an end that only its standby has; the arbiter heard of none of
        it. In sync, or alone with a standby that follows and that nobody hears for a while.
        """
        run, record = self.run, self.run.checks.record
        if record is None or run.world.now > until_s:
            return
        node = run.nodes[record.primary]
        server, standby = node.postgres, node.peer.postgres
        left = len(server.wal) - run.world.rng.randrange(1, TAIL)
        well = node.alive and server.up and server.production and standby.streaming
        may = run.budget.may_forget_in_sync if record.sync else run.budget.may_forget_alone
        if not (well and may(node, left)):
            run.world.after(MOMENT_S, self.lose_end, until_s)
            return
        newest = Newest(list(server.wal), server.names, node.disk.kept)
        node.crash(host=True)
        run.world.fault("end was lost", f"{node.name} {len(server.wal)} -> {left}")
        run.budget.lose(node)
        server.set_back(left)
        run.world.after(run.world.between(0.3, 1.0), run.start, node)
        if record.sync:
            run.world.hit["end was lost in sync"] += 1
            self._gone_alone(node, record.term, run.world.now + LOOKED_FOR_S)
            return
        server.forked = True
        run.checks.books.write_off(server)
        if run.world.chance(0.8):
            self._deafen(node)
        run.world.after(LOOKS_S, self._put_back, node, newest)

    def _deafen(self, node: Node) -> None:
        """Nobody hears its standby, which hears everybody."""
        network, for_s = self.run.network, self.run.world.between(2.0, 5.0)
        for line in ((node.peer.name, node.name, 0), (node.peer.name, node.name, 1)):
            network.cut(line, for_s)
        network.cut((node.peer.name, "w", 0), 2.0)

    def _gone_alone(self, node: Node, term: int, until_s: float) -> None:
        """A second failure took the standby away before it could say that it holds more."""
        run, record = self.run, self.run.checks.record
        if record is None or record.term != term or run.world.now > until_s:
            return
        if record.sync:
            run.world.after(MOMENT_S / 5, self._gone_alone, node, term, until_s)
            return
        run.world.hit["end was lost, and the standby"] += 1
        node.postgres.forked = True
        run.checks.books.write_off(node.postgres)

    def _set_back(self, node: Node, may: Callable[[Node, int], bool], kind: str) -> bool:
        run, server, record = self.run, node.postgres, self.run.checks.record
        if record is None or not node.alive or not server.up:
            return False
        least = max(record.min_lsn, 1)
        copies = self.taken[node.name][:-1]
        if run.world.chance(0.5):
            copies = self._tails(node) or copies
        older = [one for one in copies if one.lsn >= least and may(node, one.lsn)]
        if not older:
            return False
        taken = run.world.rng.choice(older)
        node.crash(host=True)
        run.world.fault(kind, f"{node.name} {len(server.wal)} -> {taken.lsn}")
        run.budget.lose(node)
        server.set_back(taken.lsn)
        if run.world.chance(0.5):
            server.names, node.disk.kept = taken.names, taken.kept
        run.world.after(run.world.between(0.3, 2.0), run.start, node)
        return True

    def _tails(self, node: Node) -> list[Snapshot]:
        """Copies that lack no more than what a start writes by itself."""
        server, kept = node.postgres, node.disk.kept
        held = len(server.wal)
        tails = [Snapshot(held - lost, server.names, kept) for lost in range(1, TAIL)]
        return [one for one in tails if self.run.budget.remembered > one.lsn]

    def _put_back(self, node: Node, newest: Newest) -> None:
        """He acts when the node says it was set back, while the record still has it alone; at times
        he first starts it once more, to see whether that helps.
        """
        run, record = self.run, self.run.checks.record
        if record is None or record.primary != node.name or record.sync:
            return  # somebody forced the other: this one is copied anew
        says = node.alive and node.mind.disk.diverged and not node.postgres.up
        if not says:
            run.world.after(LOOKS_S, self._put_back, node, newest)
            return
        node.crash(host=True)
        if run.world.chance(0.4):
            run.world.after(run.world.between(0.3, 1.0), run.start, node)
            run.world.after(run.world.between(2.0, 3.0), self._put_back, node, newest)
            return
        run.world.fault("newest copy put back", f"{node.name} {len(newest.wal)}")
        server = node.postgres
        server.wal, server.names, node.disk.kept = newest
        server.forked = False
        run.world.after(run.world.between(0.3, 2.0), run.start, node)
