"""The part of a daemon that commands its PostgreSQL: one order after the other, each with a result.

A stop overtakes everything. What was ordered of a process that is gone is not carried out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from cluster import actions as act
from cluster import events as ev
from cluster.record import NOBODY_NAMES
from cluster.states import State
from tests.simulation.postgres import Postgres
from tests.simulation.wal import Entry
from tests.simulation.world import World

if TYPE_CHECKING:
    from tests.simulation.node import Node

ANSWER_S: Final = 1.0


class Orders:
    """The queue of one daemon."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.queue: deque[act.Action] = deque()
        self.order_life = 0
        self.busy = self.stopping = False

    def abandon(self) -> None:
        """Nothing of what was ordered is reported any more."""
        self.queue.clear()
        self.order_life += 1
        self.busy = self.stopping = False

    def server_died(self) -> None:
        """By itself: nothing ordered of it has an answer but a stop that is under way."""
        if not self.stopping:
            self.abandon()

    def add(self, order: act.Action) -> None:
        """In its turn; what goes on beside everything at once."""
        if isinstance(order, act.Checkpoint):
            self.checkpoint()
            return
        if isinstance(order, act.FinishWork):
            self.finish_work()
            return
        self.queue.append(order)
        self._next()

    def stop(self, order: act.StopPostgres) -> None:
        """At once, whatever is being done."""
        self.abandon()
        self.busy = self.stopping = True
        world, life = self.node.world, self.node.life
        delay_s = world.between(0.005, 0.05)
        if order.mode == "fast":
            world.after(delay_s, self._shut, life, self.order_life, order.deadline_s + world.now)
        else:
            world.after(delay_s, self._stopped, life, self.order_life, False)

    def _shut(self, life: int, order_life: int, until_s: float) -> None:
        """A fast stop: its last entry is written, and whoever streams must have it (F11)."""
        server = self.node.postgres
        if life != self.node.life or order_life != self.order_life:
            return
        if server.up and not server.hung and server.shut():
            self._stopped(life, order_life, True)
        elif not server.up or self.node.world.now > until_s:
            self._stopped(life, order_life, False)
        else:
            self.node.world.after(0.005, self._shut, life, order_life, until_s)

    def _stopped(self, life: int, order_life: int, clean: bool) -> None:
        if life != self.node.life:
            return  # the parent is gone; the server is stopped at the next start
        if self.node.later(self._stopped, life, order_life, clean):
            return
        server = self.node.postgres
        ended = server.up and clean and not server.in_recovery
        server.stop(clean=clean)
        if order_life == self.order_life:
            self.busy = self.stopping = False
            end_lsn = len(server.wal) if ended else -1
            self.node.feed(ev.PostgresExited(0, asked=True, clean_end_lsn=end_lsn))

    def checkpoint(self) -> None:
        """Beside everything else."""
        world, server, life = self.node.world, self.node.postgres, self.node.life

        def done(server_life: int) -> None:
            if life != self.node.life:
                return
            if server.up and server.life == server_life and not server.hung:
                self.node.feed(ev.Checkpointed())
            else:
                self.node.feed(ev.ActionFailed("Checkpoint", "the server went away"))

        world.after(world.between(0.005, 0.3), done, server.life)

    def finish_work(self) -> None:
        """What is being served ends, or half a second passes."""
        world, life = self.node.world, self.node.life

        def again(until_s: float) -> None:
            if life != self.node.life:
                return
            if self.node.serving() and world.now < until_s:
                world.after(0.005, again, until_s)
            else:
                self.node.feed(ev.WorkFinished())

        world.after(0.001, again, world.now + 0.5)

    def _current(self, life: int, order_life: int) -> bool:
        return life == self.node.life and order_life == self.order_life

    def _next(self) -> None:
        if self.busy or not self.queue:
            return
        self.busy = True
        order = self.queue.popleft()
        delay_s = DELAYS[type(order)](self.node.world)
        if self.node.postgres.slow_s:
            delay_s += self.node.world.between(0.0, self.node.postgres.slow_s)
        self.node.world.after(delay_s, self._do, self.node.life, self.order_life, order)

    def _do(self, life: int, order_life: int, order: act.Action) -> None:
        if not self._current(life, order_life):
            return
        if self.node.later(self._do, life, order_life, order):
            return
        server = self.node.postgres
        hung_s = server.disk_hung_until_s - self.node.world.now
        if hung_s > 0 and isinstance(order, act.KeepClaim | act.KeepToken):
            self.node.world.after(hung_s, self._do, life, order_life, order)
            return
        if server.up and server.hung and not isinstance(order, act.KeepClaim | act.KeepToken):
            late = _failed(order, "no answer")
            self.node.world.after(ANSWER_S, self._answer, life, order_life, late)
            return
        result = self._result(order, life, order_life)
        if result is not None:
            self._answer(life, order_life, result)

    def _answer(self, life: int, order_life: int, result: ev.Event) -> None:
        if self._current(life, order_life):
            self.busy = False
            if result is not _NO_EVENT:
                self.node.feed(result)
            self._next()

    def _result(self, order: act.Action, life: int, order_life: int) -> ev.Event | None:
        server, disk = self.node.postgres, self.node.disk
        if isinstance(order, act.KeepToken | act.KeepClaim | act.StartPrimary | act.StartStandby):
            return self._kept_or_started(order)
        match order:
            case act.SetNames() | act.AdmitStandby() if server.up:
                return self._set(order)
            case act.Promote() if server.up and server.in_recovery:
                self.node.promoting(self.node)
                tli, switch_lsn = server.promote(disk.kept.claim)
                return ev.Promoted(tli, switch_lsn)
            case act.WriteFence(term=term) if server.up and not server.in_recovery:
                self._write_fence(term, life, order_life)
                return None
            case act.HangProbe(generation=generation) if server.up:
                self._hang_probe(generation, life, order_life)
                return None
            case act.PrepareForStandby():
                return _NO_EVENT
            case act.TakeStock():
                return ev.StockTaken(self.node.world.chance(0.6), "a stock")
            case act.Clone() | act.Rewind():
                self._copy(order, life, order_life)
                return None
            case act.Initialise() if not server.full:
                server.has_data, server.tli, server.system_id = True, 1, "s1"
                server.production, server.wal = True, [Entry("initdb", 1)]
                return ev.Initialised("s1")
        return _failed(order, "the server is not there")

    def _set(self, order: act.SetNames | act.AdmitStandby) -> ev.Event:
        server = self.node.postgres
        if isinstance(order, act.AdmitStandby):
            self.node.disk.change(began_lsn=0)
            server.admits = True
            return ev.StandbyAdmitted()
        server.set_names(order.names)
        return ev.NamesSet(order.names)

    def _kept_or_started(
        self, order: act.KeepToken | act.KeepClaim | act.StartPrimary | act.StartStandby
    ) -> ev.Event:
        if isinstance(order, act.KeepToken | act.KeepClaim):
            return self._kept(order)
        return self._started(order)

    def _kept(self, order: act.KeepToken | act.KeepClaim) -> ev.Event:
        server, disk = self.node.postgres, self.node.disk
        if server.full:
            self.node.world.hit["small file did not fit"] += 1
            return _failed(order, "no space left on device")
        if isinstance(order, act.KeepClaim):
            disk.change(claim=order.op_id)
            return ev.ClaimKept(order.op_id)
        disk.change(token=order.generation, rejoining=False)
        server.follow(self.node.peer_name, f"{self.node.name}_{order.generation}")
        return ev.TokenKept(order.generation)

    def _started(self, order: act.StartPrimary | act.StartStandby) -> ev.Event:
        server = self.node.postgres
        self.node.looks.started()
        if isinstance(order, act.StartStandby) and self.node.mind.state is State.READING:
            self.node.world.hit["started without an arbiter"] += 1
        if server.full:
            return _failed(order, "no space left on device")
        self.node.came_up = self.node.boots
        if server.up:  # somebody else started one: as any stray it is stopped first
            server.stop()
        if isinstance(order, act.StartPrimary):
            began = self._began(server)
            self.node.disk.change(unproven=True, began_lsn=began)
            server.names = order.names
            server.renamed()
            server.start(standby=False)
            gateless = {"followed_unmeasured", "restart_gate_off"}
            server.admits = not gateless.isdisjoint(self.node.world.planted)
            return ev.PostgresStarted(as_standby=False, began_lsn=began)
        server.names = NOBODY_NAMES
        server.source, server.receiver_name = order.source, f"{self.node.name}_{order.generation}"
        server.start(standby=True)
        server.renamed()
        return ev.PostgresStarted(as_standby=True)

    def _began(self, server: Postgres) -> int:
        """Where this start finds the end of the log, or an earlier one did that still counts."""
        found = len(server.wal)
        if "began_forgotten" in self.node.world.planted:
            return found
        return min(self.node.disk.kept.began_lsn or found, found)

    def _write_fence(self, term: int, life: int, order_life: int) -> None:
        answered = [False]

        def done(warned: bool) -> None:
            if not answered[0]:
                answered[0] = True
                if self._current(life, order_life):
                    self.node.disk.change(unproven=False)
                self._answer(life, order_life, ev.FenceWritten(term))

        def late() -> None:
            if not answered[0]:
                answered[0] = True
                self._answer(life, order_life, ev.ActionFailed("WriteFence", "deadline"))

        self.node.postgres.commit(Entry("fence", self.node.postgres.tli, number=term), done)
        self.node.world.after(ANSWER_S, late)

    def _hang_probe(self, generation: int, life: int, order_life: int) -> None:
        server = self.node.postgres
        if "sync_without_probe" in self.node.world.planted:
            self._answer(life, order_life, ev.WaitSeen(generation, len(server.wal)))
            return
        begun_s = self.node.world.now
        returned = [True]

        def again() -> None:
            if not self._current(life, order_life):
                return
            waits = any(one.entry.kind == "probe" for one in server.waiting)
            if waits:
                self._answer(life, order_life, ev.WaitSeen(generation, len(server.wal)))
            elif self.node.world.now - begun_s > 2.5:
                self._answer(life, order_life, ev.ActionFailed("HangProbe", "nothing hangs"))
            else:
                if returned[0]:
                    returned[0] = False
                    server.commit(
                        Entry("probe", server.tli), lambda _: returned.__setitem__(0, True)
                    )
                self.node.world.after(0.003, again)

        again()

    def _copy(self, order: act.Clone | act.Rewind, life: int, order_life: int) -> None:
        server, disk = self.node.postgres, self.node.disk
        if isinstance(order, act.Rewind):
            disk.torn = True
        elif not order.keep:
            disk.torn, server.has_data, disk.kept_old = True, False, False
        disk.change(rejoining=True)
        source = self.node.postgres.peer
        reachable = self._reaches(source)
        self.node.world.after(
            self.node.world.between(0.2, 0.6),
            self._copied,
            order,
            life,
            order_life,
            source.life,
            reachable,
        )

    def _reaches(self, source: Postgres) -> bool:
        cuts = self.node.network.cuts
        cut = cuts.get((self.node.name, source.name, 0)) or cuts.get(
            (source.name, self.node.name, 0)
        )
        serves = source.up and source.admits and not source.in_recovery
        return serves and not source.hung and not cut

    def _copied(
        self,
        order: act.Clone | act.Rewind,
        life: int,
        order_life: int,
        source_life: int,
        reachable: bool,
    ) -> None:
        if not self._current(life, order_life):
            return
        source = self.node.postgres.peer
        if not reachable or source.life != source_life or not self._reaches(source):
            self._answer(life, order_life, _failed(order, "the source went away"))
            return
        server, disk, world = self.node.postgres, self.node.disk, self.node.world
        if isinstance(order, act.Rewind):
            if not server.rewind_to(source, order.left_at) or world.chance(0.2):
                world.hit["rewind failed"] += 1
                self._answer(life, order_life, _failed(order, "it cannot be shown right"))
                return
        else:
            disk.kept_old = order.keep and (server.has_data or disk.kept_old)
            server.copy_from(source)
        disk.change(claim="", token=0, unproven=False, began_lsn=0)
        disk.torn = False
        rewound = isinstance(order, act.Rewind)
        world.hit["rewind" if rewound else "clone"] += 1
        done = ev.Rewound(server.system_id) if rewound else ev.Cloned(server.system_id)
        self._answer(life, order_life, done)


_NO_EVENT = ev.Tick(-1.0)


def _failed(order: act.Action, reason: str) -> ev.Event:
    return ev.ActionFailed(type(order).__name__, reason)


DELAYS: dict[type[act.Action], Callable[[World], float]] = {
    act.KeepToken: lambda world: world.between(0.002, 0.006),
    act.KeepClaim: lambda world: world.between(0.001, 0.003),
    act.StartPrimary: lambda world: world.between(0.1, 0.5),
    act.StartStandby: lambda world: world.between(0.1, 0.5),
    act.AdmitStandby: lambda world: world.between(0.001, 0.005),
    act.SetNames: lambda world: world.between(0.002, 0.008),
    act.Promote: lambda world: world.between(0.027, 0.097),
    act.WriteFence: lambda world: 0.001,
    act.HangProbe: lambda world: 0.001,
    act.PrepareForStandby: lambda world: world.between(0.005, 0.05),
    act.TakeStock: lambda world: world.between(0.005, 0.05),
    act.Rewind: lambda world: 0.01,
    act.Clone: lambda world: 0.01,
    act.Initialise: lambda world: world.between(0.3, 0.6),
}
