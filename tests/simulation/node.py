"""One node's daemon: the real machine, and a shell that carries out its actions late, in order,
and sometimes not at all.

A crash loses the process and keeps the disk and (unless the host went down) the server. A frozen
process handles on resume what had reached its sockets. Its clock has an offset and drifts.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from msgspec import structs

from cluster import actions as act
from cluster import events as ev
from cluster.machine import begin, step
from cluster.mind import Mind
from cluster.standing import Standing
from cluster.states import State
from cluster.timers import Timers
from cluster.view import beat_of, probe_every_s, standing
from protocols.peer import NodeBeat, Record, Relay
from tests.simulation.network import Network
from tests.simulation.postgres import Entry, Postgres
from tests.simulation.witness import Witness
from tests.simulation.world import World

TICK_S = 0.1
LEAST_PROBE_S = 0.02
MOST_PROBE_S = 0.2
ANSWER_S = 1.0
TIMERS = Timers(backoff_cap_s=4.0, orphan_s=8.0, fault_s=3.0)
ADDRESSES = {"a": "a:1", "b": "b:1"}
Step = Callable[[Mind, ev.Event, float], tuple[Mind, tuple[act.Action, ...]]]


class Disk:
    """What one node keeps besides its data folder."""

    epoch = 0
    incarnation = 0
    token = 0
    claim = ""
    rejoining = False


class Node:
    """``changed`` is told of every new standing; ``step`` may be a planted one."""

    def __init__(
        self, world: World, network: Network, witness: Witness, postgres: Postgres, decide: Step = step
    ) -> None:
        self.world, self.network, self.witness = world, network, witness
        self.postgres = postgres
        self.name, self.peer_name = postgres.name, postgres.peer.name
        self.peer: Node
        self.decide = decide
        self.disk = Disk()
        self.offset_s = world.between(0.0, 1e5)
        self.rate = 1.0 + world.between(-2e-4, 2e-4)
        self.alive = False
        self.life = 0
        self.boots = 0
        self.frozen: list[tuple[Callable[..., None], tuple[Any, ...]]] | None = None
        self.mind: Mind
        self.standing = Standing(self.name, "DOWN", 0, 0, False, False, "", "", "", 1, "")
        self.changed: Callable[[Node], None] = lambda node: None
        self.departed: Callable[[Node], None] = lambda node: None
        self.counter = 0
        self.orders: deque[act.Action] = deque()
        self.order_life = 0
        self.busy = False
        self.next_tick_s = 0.0
        self.beat_life = 0
        postgres.exited = self._postgres_exited

    def clock(self) -> float:
        """This node's monotonic seconds."""
        return self.offset_s + self.world.now * self.rate

    # ---- the process

    def boot(self) -> None:
        """The daemon starts: stops a stray server, reads its disk."""
        self.life += 1
        self.boots += 1
        self.alive, self.frozen, self.busy = True, None, False
        self.orders.clear()
        self.order_life += 1
        self.counter = 0
        boot = f"{self.name}{self.boots}"
        now_s = self.clock()
        self.mind = begin(
            self.name, self.peer_name, "city", boot, timers=TIMERS, now_s=now_s
        )
        self.next_tick_s = self.world.now + TICK_S
        if self.postgres.up:
            self.world.hit["stray server stopped"] += 1
            self.postgres.stop()
        self.world.after(self.world.between(0.01, 0.05), self._booted, self.life)

    def _booted(self, life: int) -> None:
        if life != self.life:
            return
        data, disk = self.postgres, self.disk
        found = ev.Holdings(
            has_data=data.has_data,
            was_primary=data.has_data and data.production,
            clean_shutdown=data.clean,
            system_id=data.system_id,
            tli=data.tli,
            end_lsn=len(data.wal),
            names=data.names,
            epoch=disk.epoch,
            incarnation=disk.incarnation,
            token=disk.token,
            claim=disk.claim,
            rejoining=disk.rejoining,
        )
        self.feed(ev.Booted(found))
        self._tick(life)
        self._beat(life)
        self._probe(life)

    def crash(self, *, host: bool) -> None:
        """Killed. With the host, the server dies too; without, it runs on (F18)."""
        self.alive = False
        self.life += 1
        self.order_life += 1
        self.frozen = None
        if host:
            self.postgres.stop()
        self._stands(Standing(self.name, "DOWN", 0, 0, False, False, "", "", "", 1, ""))

    def freeze(self) -> None:
        """SIGSTOP of the daemon."""
        if self.alive and self.frozen is None:
            self.frozen = []

    def thaw(self) -> None:
        """SIGCONT."""
        held, self.frozen = self.frozen or [], None
        for call, args in held:
            call(*args)

    def later(self, call: Callable[..., None], *args: Any) -> bool:
        """True (and kept for later) while this process is frozen."""
        if self.frozen is None:
            return False
        self.frozen.append((call, args))
        return True

    def feed(self, event: ev.Event) -> None:
        """Something happened: decide, publish, carry out."""
        if not self.alive or self.later(self.feed, event):
            return
        before = self.mind.state
        self.mind, actions = self.decide(self.mind, event, self.clock())
        if self.mind.state is not before:
            self.world.note(f"{self.name} {before} -> {self.mind.state} ({type(event).__name__})")
        self._stands(standing(self.mind, ADDRESSES))
        for one in actions:
            self._carry_out(one)

    def _stands(self, now: Standing) -> None:
        if now != self.standing:
            self.standing = now
            self.changed(self)

    # ---- time, beats, probes

    def _tick(self, life: int) -> None:
        if life != self.life or self.later(self._tick, life):
            return
        gap_s = max(0.0, self.world.now - self.next_tick_s)
        self.next_tick_s = self.world.now + TICK_S
        self.world.after(TICK_S, self._tick, life)
        self.feed(ev.Tick(gap_s))

    def _beat(self, life: int) -> None:
        if life != self.life or self.later(self._beat, life):
            return
        self.world.after(0.2, self._beat, life)
        self._send_beat()

    def _send_beat(self) -> None:
        self.counter += 1
        beat = beat_of(self.mind, self.counter, self.clock())
        for number in (0, 1):
            line = (self.name, self.peer_name, number)
            self.network.send(line, self.peer.hear_beat, number, beat)
        asked_s = self.clock()
        life = self.life
        self.network.send(
            (self.name, "w", 0),
            self.witness.beat,
            beat,
            lambda relay: self._hear_relay(life, relay, asked_s),
        )

    def hear_beat(self, link: int, beat: NodeBeat) -> None:
        """A beat of the peer came in."""
        self.feed(ev.BeatHeard(link, beat))

    def _hear_relay(self, life: int, relay: Relay, asked_s: float) -> None:
        if life == self.life:
            self.feed(
                ev.RelayHeard(relay.peer, relay.high_flush, relay.nonce, relay.epoch, asked_s)
            )

    def _probe(self, life: int) -> None:
        if life != self.life or self.later(self._probe, life):
            return
        wait_s = LEAST_PROBE_S if probe_every_s(self.mind) < 0.05 else MOST_PROBE_S
        server = self.postgres
        if server.up and server.hung:
            self.world.after(ANSWER_S, self._probe, life)
            self.world.after(ANSWER_S, self._probe_failed, life)
            return
        self.world.after(wait_s, self._probe, life)
        if server.up:
            self.world.after(0.001, self._probed, life, server.life, server.facts())

    def _probed(self, life: int, server_life: int, facts: ev.Facts) -> None:
        if life == self.life and server_life == self.postgres.life:
            self.feed(ev.Probed(facts))

    def _probe_failed(self, life: int) -> None:
        if life == self.life:
            self.feed(ev.ProbeFailed("deadline"))

    def _postgres_exited(self) -> None:
        self.order_life += 1
        self.orders.clear()
        self.busy = False
        self.feed(ev.PostgresExited(9, asked=False))

    # ---- the arbiter

    def _read(self) -> None:
        life, answered = self.life, [False]

        def answer(record: Record | None, nonce: str) -> None:
            if life == self.life and not answered[0]:
                answered[0] = True
                self.feed(ev.RecordRead(record, nonce))

        def late() -> None:
            if life == self.life and not answered[0]:
                answered[0] = True
                self.feed(ev.ReadFailed())

        self.network.send((self.name, "w", 0), self.witness.read, self.name, answer)
        self.world.after(ANSWER_S, late)

    def _swap(self, order: act.SwapRecord) -> None:
        life, answered, op_id = self.life, [False], order.record.op_id
        world = self.world
        record = structs.replace(order.record, wall_time=1e9 + world.now)

        def answer(done: bool, stored: Record | None, nonce: str) -> None:  # noqa: FBT001
            if life != self.life or answered[0]:
                return
            answered[0] = True
            self.feed(
                ev.SwapConfirmed(op_id, record) if done else ev.SwapRefused(op_id, stored)
            )

        def late() -> None:
            if life == self.life and not answered[0]:
                answered[0] = True
                world.fault("swap ambiguous", f"{op_id}")
                self.feed(ev.SwapAmbiguous(op_id))

        def deliver() -> None:
            self.network.send(
                (self.name, "w", 0), self.witness.swap, self.name, order.expected, record, answer
            )

        line = (self.name, "w", 0)
        if self.network.cuts.get(line) and world.chance(0.5):
            world.hit["swap never left"] += 1
            world.after(0.001, lambda: life == self.life and self.feed(ev.SwapFailed(op_id)))
            return
        if self.network.lateness and world.chance(self.network.lateness * 2):
            world.hit["swap landed late"] += 1
            world.after(world.between(0.5, 3.0), deliver)
        else:
            deliver()
        world.after(ANSWER_S, late)

    # ---- carrying out

    def _carry_out(self, order: act.Action) -> None:
        match order:
            case act.ReadTheRecord():
                self._read()
            case act.SwapRecord():
                self._swap(order)
            case act.KeepEpoch(epoch=epoch, incarnation=incarnation):
                self.world.after(0.001, self._keep_epoch, self.life, epoch, incarnation)
            case act.BeatNow():
                self._send_beat()
            case act.Quit():
                self.alive = False
                self.life += 1
                self.world.note(f"{self.name} quits")
                self._stands(Standing(self.name, "DOWN", 0, 0, False, False, "", "", "", 1, ""))
                self.departed(self)
            case act.StopPostgres(mode=mode):
                self.orders.clear()
                self.order_life += 1
                self.busy = True
                delay_s = self.world.between(0.005, 0.05)
                self.world.after(delay_s, self._stopped, self.life, self.order_life, mode)
            case act.Note() | act.Alarm() | act.AnswerVerb():
                pass
            case _:
                self.orders.append(order)
                self._next()

    def _keep_epoch(self, life: int, epoch: int, incarnation: int) -> None:
        if life == self.life:
            disk = self.disk
            if (incarnation, epoch) > (disk.incarnation, disk.epoch):
                disk.incarnation, disk.epoch = incarnation, epoch
            self.feed(ev.EpochKept(epoch))

    def _stopped(self, life: int, order_life: int, mode: str) -> None:
        if life != self.life:
            return  # the parent is gone; the server is stopped at the next start
        if self.later(self._stopped, life, order_life, mode):
            return
        self.postgres.stop(clean=mode == "fast" and not self.postgres.hung)
        if order_life == self.order_life:
            self.busy = False
            self.feed(ev.PostgresExited(0, asked=True))

    def _next(self) -> None:
        if self.busy or not self.orders:
            return
        self.busy = True
        order = self.orders.popleft()
        delay_s = DELAYS[type(order)](self.world)
        if self.postgres.slow_s:
            delay_s += self.world.between(0.0, self.postgres.slow_s)
        self.world.after(delay_s, self._do, self.life, self.order_life, order)

    def _do(self, life: int, order_life: int, order: act.Action) -> None:
        if life != self.life or order_life != self.order_life:
            return
        if self.later(self._do, life, order_life, order):
            return
        server = self.postgres
        if server.up and server.hung and not isinstance(order, act.KeepClaim | act.KeepToken):
            self.world.after(ANSWER_S, self._answer, life, order_life, _failed(order, "no answer"))
            return
        result = self._result(order, life, order_life)
        if result is not None:
            self._answer(life, order_life, result)

    def _answer(self, life: int, order_life: int, result: ev.Event | None) -> None:
        if life == self.life and order_life == self.order_life:
            self.busy = False
            if result is not _NO_EVENT:
                self.feed(result)
            self._next()

    def _result(self, order: act.Action, life: int, order_life: int) -> ev.Event | None:  # noqa: C901, PLR0912
        server, disk = self.postgres, self.disk
        match order:
            case act.KeepToken(generation=generation):
                disk.token, disk.rejoining = generation, False
                server.follow(self.peer_name, f"{self.name}_{generation}")
                return ev.TokenKept(generation)
            case act.KeepClaim(op_id=op_id):
                disk.claim = op_id
                return ev.ClaimKept(op_id)
            case act.StartPrimary(names=names):
                server.names = names
                server.renamed()
                server.start(standby=False)
                return ev.PostgresStarted(as_standby=False)
            case act.StartStandby(source=source, generation=generation):
                server.names = 'ANY 1 ("nobody_0")'
                server.renamed()
                server.source, server.receiver_name = source, f"{self.name}_{generation}"
                server.start(standby=True)
                return ev.PostgresStarted(as_standby=True)
            case act.SetNames(names=names) if server.up:
                server.set_names(names)
                return ev.NamesSet(names)
            case act.Promote() if server.up and server.in_recovery:
                tli, switch_lsn = server.promote(disk.claim)
                return ev.Promoted(tli, switch_lsn)
            case act.WriteFence(term=term) if server.up and not server.in_recovery:
                self._write_fence(term, life, order_life)
                return None
            case act.HangProbe(generation=generation) if server.up:
                self._hang_probe(generation, life, order_life)
                return None
            case act.PrepareForStandby():
                return _NO_EVENT
            case act.Clone():
                self._clone(life, order_life)
                return None
            case act.Initialise():
                server.has_data, server.tli, server.system_id = True, 1, "s1"
                server.production, server.wal = True, [Entry("initdb", 1)]
                return ev.Initialised("s1")
        return _failed(order, "the server is not there")

    def _write_fence(self, term: int, life: int, order_life: int) -> None:
        answered = [False]

        def done(warned: bool) -> None:  # noqa: FBT001
            if not answered[0]:
                answered[0] = True
                self._answer(life, order_life, ev.FenceWritten(term))

        def late() -> None:
            if not answered[0]:
                answered[0] = True
                self._answer(life, order_life, ev.ActionFailed("WriteFence", "deadline"))

        self.postgres.commit(Entry("fence", self.postgres.tli, number=term), done)
        self.world.after(ANSWER_S, late)

    def _hang_probe(self, generation: int, life: int, order_life: int) -> None:
        server = self.postgres
        if "sync_without_probe" in self.world.planted:
            self._answer(life, order_life, ev.WaitSeen(generation, len(server.wal)))
            return
        begun_s = self.world.now
        returned = [True]

        def again() -> None:
            if life != self.life or order_life != self.order_life:
                return
            waits = any(one.entry.kind == "probe" for one in server.waiting)
            if waits:
                self._answer(life, order_life, ev.WaitSeen(generation, len(server.wal)))
            elif self.world.now - begun_s > 2.5:
                self._answer(life, order_life, ev.ActionFailed("HangProbe", "nothing hangs"))
            else:
                if returned[0]:
                    returned[0] = False
                    server.commit(Entry("probe", server.tli), lambda _: returned.__setitem__(0, True))
                self.world.after(0.003, again)

        again()

    def _clone(self, life: int, order_life: int) -> None:
        self.disk.rejoining = True
        source = self.postgres.peer
        reachable = self._reaches(source)
        self.world.after(
            self.world.between(0.2, 0.6), self._cloned, life, order_life, source.life, reachable
        )

    def _reaches(self, source: Postgres) -> bool:
        cuts = self.network.cuts
        cut = cuts.get((self.name, source.name, 0)) or cuts.get((source.name, self.name, 0))
        return source.up and not source.in_recovery and not source.hung and not cut

    def _cloned(self, life: int, order_life: int, source_life: int, reachable: bool) -> None:  # noqa: FBT001
        if life != self.life or order_life != self.order_life:
            return
        source = self.postgres.peer
        if not reachable or source.life != source_life or not self._reaches(source):
            self._answer(life, order_life, ev.ActionFailed("Clone", "the source went away"))
            return
        self.postgres.copy_from(source)
        self.disk.claim, self.disk.token = "", 0
        self.world.hit["clone"] += 1
        self._answer(life, order_life, ev.Cloned(self.postgres.system_id))


_NO_EVENT = ev.Tick(-1.0)


def _failed(order: act.Action, reason: str) -> ev.Event:
    return ev.ActionFailed(type(order).__name__, reason)


DELAYS: dict[type[act.Action], Callable[[World], float]] = {
    act.KeepToken: lambda world: world.between(0.002, 0.006),
    act.KeepClaim: lambda world: world.between(0.001, 0.003),
    act.StartPrimary: lambda world: world.between(0.1, 0.5),
    act.StartStandby: lambda world: world.between(0.1, 0.5),
    act.SetNames: lambda world: world.between(0.002, 0.008),
    act.Promote: lambda world: world.between(0.027, 0.097),
    act.WriteFence: lambda world: 0.001,
    act.HangProbe: lambda world: 0.001,
    act.PrepareForStandby: lambda world: world.between(0.005, 0.05),
    act.Clone: lambda world: 0.01,
    act.Initialise: lambda world: world.between(0.3, 0.6),
}
__all__ = ["Node", "State"]
