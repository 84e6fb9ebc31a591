"""One node's daemon: the real machine, and a shell that carries out its actions late, in order,
and sometimes not at all.

A crash loses the process and keeps the disk and (unless the host went down) the server. A frozen
process handles on resume what had reached its sockets. Its monotonic clock has an offset and
drifts; its wall clock jumps, and nothing reads it but people.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import structs

from cluster import actions as act
from cluster import events as ev
from cluster.machine import begin, step
from cluster.mind import Mind
from cluster.rules.cover import IMPOSSIBLE
from cluster.standing import Standing
from cluster.timers import Timers
from cluster.view import beat_of, probe_every_s, standing
from protocols.peer import NodeBeat, Record, Relay
from tests.simulation.disk import Disk, Keepsake
from tests.simulation.looks import Looks
from tests.simulation.network import Network
from tests.simulation.orders import ANSWER_S, Orders
from tests.simulation.postgres import Postgres
from tests.simulation.witness import Witness
from tests.simulation.world import Violation, World

TICK_S = 0.1
LEAST_PROBE_S = 0.02
MOST_PROBE_S = 0.2
TIMERS = Timers(backoff_cap_s=4.0, orphan_s=8.0, fault_s=3.0)
ADDRESSES = {"a": "a:1", "b": "b:1"}
Step = Callable[[Mind, ev.Event, float], tuple[Mind, tuple[act.Action, ...]]]


class Node:
    """``changed`` is told of every new standing, ``asked`` of every compare-and-swap that leaves,
    ``told`` of every one that was answered; ``step`` may be a planted one.

    ``authority`` is the newest record the arbiter answered to this process.
    """

    def __init__(
        self,
        world: World,
        network: Network,
        witness: Witness,
        postgres: Postgres,
        decide: Step = step,
    ) -> None:
        self.world, self.network, self.witness = world, network, witness
        self.postgres = postgres
        self.name, self.peer_name = postgres.name, postgres.peer.name
        self.peer: Node
        self.decide = decide
        self.disk = Disk()
        self.offset_s = world.between(0.0, 1e5)
        self.rate = 1.0 + world.between(-2e-4, 2e-4)
        self.wall_s = 0.0
        self.alive = False
        self.life = 0
        self.boots = 0
        self.frozen: list[tuple[Callable[..., None], tuple[Any, ...]]] | None = None
        self.mind: Mind
        self.standing = _down(self.name)
        self.changed: Callable[[Node], None] = lambda node: None
        self.serving: Callable[[], bool] = lambda: False
        self.departed: Callable[[Node], None] = lambda node: None
        self.asked: Callable[[Node, act.SwapRecord], None] = lambda node, order: None
        self.told: Callable[[str], None] = lambda op_id: None
        self.promoting: Callable[[Node], None] = lambda node: None
        self.ordered: Callable[[Node, act.Action], None] = lambda node, order: None
        self.authority: Record | None = None
        self.counter = 0
        self.orders = Orders(self)
        self.next_tick_s = 0.0
        self.beat_life = 0
        self.looks = Looks(self)
        self.came_up = 0
        """The process of this daemon whose server last came up."""
        postgres.exited = self._postgres_exited

    def clock(self) -> float:
        """This node's monotonic seconds."""
        if "lease_by_wall_clock" in self.world.planted:
            return self.wall_clock()
        return self.offset_s + self.world.now * self.rate

    def wall_clock(self) -> float:
        """What people see on this machine."""
        return 1e9 + self.world.now + self.wall_s

    def drift(self, rate: float) -> None:
        """From now on the monotonic clock runs at that rate; it never jumps."""
        self.offset_s += self.world.now * (self.rate - rate)
        self.rate = rate

    # ---- the process

    def boot(self) -> None:
        """The daemon starts: stops a stray server, reads its disk; not on a torn file."""
        self.life += 1
        self.authority = None
        if self.disk.broken:
            self.world.hit["daemon refused a torn file"] += 1
            self.departed(self)
            return
        self.boots += 1
        self.alive, self.frozen = True, None
        self.orders.abandon()
        self.counter = 0
        boot = f"{self.name}{self.boots}"
        now_s = self.clock()
        timers = structs.replace(TIMERS, takeovers_per_hour=self.world.cap)
        self.mind = begin(self.name, self.peer_name, "city", boot, timers=timers, now_s=now_s)
        self.next_tick_s = self.world.now + TICK_S
        if self.postgres.up:
            self.world.hit["stray server stopped"] += 1
            self.postgres.stop()
        self.world.after(self.world.between(0.01, 0.05), self._booted, self.life)

    def _booted(self, life: int) -> None:
        if life != self.life:
            return
        data, kept = self.postgres, self.disk.kept
        found = ev.Holdings(
            has_data=data.has_data,
            was_primary=data.has_data and data.production,
            clean_shutdown=data.clean,
            system_id=data.system_id,
            tli=data.tli,
            end_lsn=len(data.wal),
            names=data.names,
            epoch=kept.epoch,
            incarnation=kept.incarnation,
            token=kept.token,
            claim=kept.claim,
            rejoining=kept.rejoining,
            torn=self.disk.torn,
            unproven=kept.unproven,
            record=kept.record,
            kept_old=self.disk.kept_old,
        )
        self.feed(ev.Booted(found))
        self._tick(life)
        self._beat(life)
        self._probe(life)
        self.looks.begin(life)

    def crash(self, *, host: bool) -> None:
        """Killed. With the host, the server dies too; without, it runs on (F18)."""
        self.alive = False
        self.life += 1
        self.orders.abandon()
        self.frozen = None
        if host:
            self.postgres.lose_power()
        self._stands(_down(self.name))

    def freeze(self) -> None:
        """SIGSTOP of the daemon."""
        if self.alive and self.frozen is None:
            self.frozen = []

    def thaw(self) -> None:
        """SIGCONT."""
        held, self.frozen = self.frozen or [], None
        if held and self.alive:
            # a stall is told before what waited through it
            self.feed(ev.Tick(self._overdue_s(), self.wall_clock()))
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
        if (before, type(event)) in IMPOSSIBLE:
            raise Violation(f"{type(event).__name__} came to {self.name} in {before}")
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
        self.world.after(TICK_S, self._tick, life)
        self.feed(ev.Tick(self._overdue_s(), self.wall_clock()))

    def _overdue_s(self) -> float:
        gap_s = max(0.0, self.world.now - self.next_tick_s)
        self.next_tick_s = self.world.now + TICK_S
        return gap_s

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
                ev.RelayHeard(
                    relay.peer, relay.high_flush, relay.nonce, relay.epoch, asked_s, relay.doubt
                )
            )

    def _probe(self, life: int) -> None:
        if life != self.life or self.later(self._probe, life):
            return
        wait_s = LEAST_PROBE_S if probe_every_s(self.mind) < 0.05 else MOST_PROBE_S
        server = self.postgres
        starved = self.world.now < server.starved_until_s
        if server.up and (server.hung or starved):
            self.world.after(ANSWER_S, self._probe, life)
            self.world.after(ANSWER_S, self._probe_failed, life, starved and not server.hung)
            return
        self.world.after(wait_s, self._probe, life)
        if server.up:
            self.world.after(0.001, self._probed, life, server.life, server.facts())

    def _probed(self, life: int, server_life: int, facts: ev.Facts) -> None:
        if life == self.life and server_life == self.postgres.life:
            self.feed(ev.Probed(facts))

    def _probe_failed(self, life: int, starved: bool) -> None:
        if life == self.life:
            self.feed(ev.ProbeFailed("deadline", starved))

    def _postgres_exited(self) -> None:
        self.orders.server_died()
        self.feed(ev.PostgresExited(9, asked=False))

    # ---- the arbiter

    def _read(self) -> None:
        life, answered = self.life, [False]

        def answer(record: Record | None, nonce: str) -> None:
            if life == self.life and not answered[0]:
                answered[0] = True
                self._trust(record)
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
        record = structs.replace(order.record, wall_time=self.wall_clock())

        def answer(done: bool, stored: Record | None, nonce: str) -> None:
            if life != self.life or answered[0]:
                return
            answered[0] = True
            self.told(op_id)
            self._trust(record if done else stored)
            self.feed(ev.SwapConfirmed(op_id, record) if done else ev.SwapRefused(op_id, stored))

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
            world.after(0.001, self._swap_failed, life, op_id)
            return
        self.asked(self, structs.replace(order, record=record))
        if world.chance(0.6 if self.network.swaps_late else self.network.lateness):
            world.hit["swap landed late"] += 1
            world.after(world.between(0.5, 5.0), deliver)
        else:
            deliver()
        world.after(ANSWER_S, late)

    def _trust(self, record: Record | None) -> None:
        known = self.authority
        if record is not None and (known is None or record.epoch > known.epoch):
            self.authority = record

    def _swap_failed(self, life: int, op_id: str) -> None:
        if life == self.life:
            self.feed(ev.SwapFailed(op_id))

    # ---- carrying out

    def _carry_out(self, order: act.Action) -> None:
        self.ordered(self, order)
        match order:
            case act.ReadTheRecord():
                self._read()
            case act.SwapRecord():
                self._swap(order)
            case act.KeepEpoch(epoch=epoch, incarnation=within, record=record, excluded=excluded):
                kept = self.disk.epoch_kept(epoch, within, record, excluded=excluded)
                self.write_keepsake(kept, 0.001, self._keep_epoch, excluded)
            case act.BeatNow():
                self._send_beat()
            case act.DropOldCopy():
                self.disk.kept_old = False
                self.world.hit["old copy dropped"] += 1
            case act.Quit():
                self.alive = False
                self.life += 1
                self.world.note(f"{self.name} quits")
                self._stands(_down(self.name))
                self.departed(self)
            case act.StopPostgres():
                self.orders.stop(order)
            case act.Note() | act.Alarm() | act.AnswerVerb() | act.AdoptArbiter():
                pass
            case _:
                self.orders.add(order)

    def write_keepsake(
        self, kept: Keepsake, takes_s: float, then: Callable[..., None], *args: Any
    ) -> None:
        """Write the small file; a power cut may come in the middle, and a hung disk takes long."""
        takes_s += max(0.0, self.postgres.disk_hung_until_s - self.world.now)
        self.disk.writing = kept
        if self.disk.doomed is not None:
            strike, self.disk.doomed = self.disk.doomed, None
            self.world.after(takes_s / 2, strike)
        self.world.after(takes_s, then, self.life, kept, *args)

    def _keep_epoch(self, life: int, kept: Keepsake, excluded: bool) -> None:
        if life != self.life:
            return
        if self.postgres.full:
            self.world.hit["small file did not fit"] += 1
            self.disk.writing = None
            self.feed(ev.ActionFailed("KeepEpoch", "no space left on device"))
            return
        now = self.disk.epoch_kept(kept.epoch, kept.incarnation, kept.record, excluded=excluded)
        self.disk.keep(now)
        self.feed(ev.EpochKept(self.disk.kept.epoch, self.disk.kept.incarnation))


def _down(name: str) -> Standing:
    return Standing(name, "DOWN", 0, 0, False, False, "", "", "", 1, "")
