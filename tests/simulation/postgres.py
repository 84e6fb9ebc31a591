"""PostgreSQL as far as the cluster can see it, with the leaks it really has.

WAL is a list of entries; an LSN is its length. Commits wait for the standby whose name is in
force — and names come into force only when the checkpointer publishes them (F4), a cancelled wait
returns with a warning and shows the row (F1), and a restart shows whatever was waiting (F2, F3).
A standby on an equal timeline is believed without looking. The server outlives its daemon (F18).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from cluster.events import Facts, Walsender
from cluster.record import NOBODY_NAMES
from protocols.peer import TimelineStep
from tests.simulation.network import Network
from tests.simulation.world import Violation, World

SENDER_TIMEOUT_S: Final = 3.0
RETRY_S: Final = 0.2


class Entry(NamedTuple):
    """One WAL entry: a payment, a barrier, a fence or what a start writes."""

    kind: str
    tli: int
    key: bytes = b""
    body: str = ""
    number: int = 0


class Commit:
    """One COMMIT under way; ``done(warned)`` when it returns."""

    __slots__ = ("done", "entry", "lsn", "since_s")

    def __init__(self, entry: Entry, since_s: float, done: Callable[[bool], None]) -> None:
        self.entry = entry
        self.lsn = 0
        self.since_s = since_s
        self.done = done


class Sender:
    """A walsender: what the primary knows of one walreceiver."""

    __slots__ = ("call", "flush_lsn", "heard_s", "name")

    def __init__(self, name: str, call: int, now_s: float) -> None:
        self.name = name
        self.call = call
        self.flush_lsn = 0
        self.heard_s = now_s


class Postgres:
    """One data folder and, while it runs, its server."""

    def __init__(self, world: World, network: Network, name: str) -> None:
        self.world = world
        self.network = network
        self.name = name
        self.peer: Postgres
        # the folder
        self.has_data = False
        self.wal: list[Entry] = []
        self.tli = 0
        self.system_id = ""
        self.production = False
        self.clean = False
        self.names = ""
        self.steps: tuple[TimelineStep, ...] = ()
        # the server
        self.up = False
        self.life = 0
        self.hung = self.shutting = False
        self.in_recovery = False
        self.started_us = 0
        self.in_force = ""
        self.slow_s = 0.0
        self.stalled_until_s = 0.0
        self.replay_paused = False
        self.waiting: list[Commit] = []
        self.visible: dict[bytes, tuple[str, int, int]] = {}
        self.leaked: set[int] = set()
        self.senders: list[Sender] = []
        self.source = ""
        self.receiver_name = ""
        self.receiver_call = 0
        self.streaming = False
        self.heard_s = 0.0
        self.received = False
        self.fence = 0
        self.exited: Callable[[], None] = lambda: None
        self.released: Callable[[Commit], None] = lambda commit: None
        self.renamed: Callable[[], None] = lambda: None

    # ---- starting and stopping

    def start(self, *, standby: bool) -> None:
        """The postmaster accepts connections."""
        self.life += 1
        self.up, self.hung, self.clean, self.shutting = True, False, False, False
        self.in_recovery = standby
        self.started_us = int(self.world.now * 1e6) + self.life
        self.in_force = self.names
        self.waiting, self.senders = [], []
        self.leaked.clear()
        self.streaming = self.received = self.replay_paused = False
        self.production = not standby
        self._show_all()
        if not standby:
            self.wal.append(Entry("start", self.tli))
        self.world.after(0.001, self._receive, self.life)
        self.world.after(0.5, self._watch, self.life)

    def _show_all(self) -> None:
        self.visible = {
            entry.key: (entry.body, entry.number, at + 1)
            for at, entry in enumerate(self.wal)
            if entry.kind == "pay"
        }
        fences = [entry.number for entry in self.wal if entry.kind == "fence"]
        self.fence = fences[-1] if fences else 0

    def stop(self, *, clean: bool = False) -> None:
        """The postmaster is gone; whoever was connected learns it if the line is good."""
        if not self.up:
            return
        self.life += 1
        self.up = self.streaming = False
        self.clean = clean
        self.waiting = []
        self.network.send((self.name, self.peer.name, 0), self.peer.peer_gone, sure=True)

    def shut(self) -> bool:
        """A fast stop goes on: no commit any more, the last entry, and who streams has it."""
        self.waiting, self.shutting = [], not self.in_recovery
        if self.shutting and self.wal[-1].kind != "shutdown":
            self.wal.append(Entry("shutdown", self.tli))
            self._push()
        return all(one.flush_lsn >= len(self.wal) for one in self.senders)

    def peer_gone(self) -> None:
        """The other end closed the connection."""
        self.streaming, self.senders = False, []

    def die(self) -> None:
        """Killed: the parent reaps it."""
        if self.up:
            self.stop()
            self.exited()

    # ---- commits

    def commit(self, entry: Entry, done: Callable[[bool], None]) -> None:
        """COMMIT: local flush, then wait for whom the names in force ask."""
        if not self.up or self.in_recovery or self.shutting:
            return
        commit = Commit(entry, self.world.now, done)
        delay_s = 0.0002 + (self.slow_s * self.world.rng.random() if self.slow_s else 0.0)
        self.world.after(delay_s, self._flushed, self.life, commit)

    def _flushed(self, life: int, commit: Commit) -> None:
        if life != self.life or self.shutting:
            return
        self.wal.append(commit.entry)
        commit.lsn = len(self.wal)
        if self.in_force == "":
            self._release(commit, warned=False)
        else:
            self.waiting.append(commit)
        self._push()

    def _release(self, commit: Commit, *, warned: bool) -> None:
        entry = commit.entry
        if entry.kind == "pay":
            self.visible[entry.key] = (entry.body, entry.number, commit.lsn)
        elif entry.kind == "fence":
            self.fence = entry.number
        if warned:
            self.leaked.add(commit.lsn)
        else:
            self.released(commit)
        self.world.after(0.0001, self._returned, self.life, commit, warned)

    def _returned(self, life: int, commit: Commit, warned: bool) -> None:
        if life == self.life and self.hung:
            self.world.after(0.05, self._returned, life, commit, warned)
        elif life == self.life:
            commit.done(warned)

    def cancel_wait(self) -> bool:
        """Somebody cancels a backend that waits for replication (F1)."""
        if not self.waiting or self.hung:
            return False
        self._release(self.waiting.pop(0), warned=True)
        return True

    def set_names(self, names: str) -> None:
        """On disk and reloaded; in force when the checkpointer says so."""
        self.names = names
        self.renamed()
        if not self.up:
            return
        delay_s = self.world.between(0.001, 0.006)
        if self.world.chance(0.05):
            self.world.hit["names published late"] += 1
            delay_s += self.world.between(0.02, 0.4)
        delay_s = max(delay_s, self.stalled_until_s - self.world.now)
        self.world.after(delay_s, self._publish, self.life, names)

    def _publish(self, life: int, names: str) -> None:
        if life != self.life or names != self.names:
            return
        self.in_force = names
        if names == "":
            waiting, self.waiting = self.waiting, []
            for commit in waiting:
                self._release(commit, warned=False)
        else:
            self._wake()

    def _wake(self) -> None:
        if not self.waiting or self.in_force in {"", NOBODY_NAMES}:
            return
        name = self.in_force.split('"')[1]
        flushed = max((one.flush_lsn for one in self.senders if one.name == name), default=0)
        while self.waiting and self.waiting[0].lsn <= flushed:
            self._release(self.waiting.pop(0), warned=False)

    # ---- replication, the primary's end

    def accept(self, name: str, call: int, at_lsn: int, tli: int, prefix: list[Entry]) -> None:
        """A walreceiver asks to stream from ``at_lsn`` on ``tli``."""
        if not self.up or self.in_recovery or self.hung:
            return
        if tli == self.tli:
            fits = at_lsn <= len(self.wal)
        else:
            left = [step.switch_lsn for step in self.steps if step.tli > tli]
            known = tli == 1 or any(step.tli == tli for step in self.steps)
            fits = known and bool(left) and at_lsn <= min(left)
        if not fits:
            self.world.hit["walreceiver refused"] += 1
            return
        if prefix[:at_lsn] != self.wal[:at_lsn]:
            raise Violation(f"{self.peer.name} follows {self.name} on a history that differs")
        self.senders = [one for one in self.senders if one.name != name]
        self.senders.append(Sender(name, call, self.world.now))
        self._carry("accepted", call)

    def _push(self) -> None:
        if self.senders:
            self._carry("wal", self.senders[-1].call)

    def _carry(self, what: str, call: int) -> None:
        if self.hung:
            return
        state = (self.wal, len(self.wal), self.tli, self.steps)
        line = (self.name, self.peer.name, 0)
        self.network.send(line, self.peer.hear, what, call, *state, sure=True)

    def acknowledged(self, call: int, flush_lsn: int) -> None:
        """A walreceiver has flushed that far."""
        if not self.up or self.hung:
            return
        for one in self.senders:
            if one.call == call:
                one.heard_s = self.world.now
                one.flush_lsn = max(one.flush_lsn, flush_lsn)
                self._wake()

    # ---- replication, the standby's end

    def follow(self, source: str, name: str) -> None:
        """Set primary_conninfo and the application name; the walreceiver reconnects."""
        self.source, self.receiver_name = source, name
        if self.streaming:
            self.streaming = False
            self.receiver_call += 1
            self._connect()

    def _connect(self) -> None:
        if self.up and self.in_recovery and self.source and not self.hung:
            self.receiver_call += 1
            self.heard_s = self.world.now
            line = (self.name, self.peer.name, 0)
            call = (self.receiver_name, self.receiver_call, len(self.wal), self.tli, self.wal)
            self.network.send(line, self.peer.accept, *call, sure=True)

    def _receive(self, life: int) -> None:
        """Every so often: connect if nobody streams, give up who is silent."""
        if life != self.life or not self.in_recovery:
            return
        if self.streaming and self.world.now - self.heard_s > SENDER_TIMEOUT_S:
            self.streaming = False
        if self.streaming:
            self._ack()
        else:
            self._connect()
        self.world.after(RETRY_S, self._receive, life)

    def hear(self, what: str, call: int, wal: list[Entry], upto: int, tli: int, steps: Any) -> None:
        """WAL from the primary, cumulative."""
        if not (self.up and self.in_recovery) or self.hung or call != self.receiver_call:
            return
        if what == "accepted":
            self.streaming = True
        if not self.streaming:
            return
        self.heard_s = self.world.now
        self.tli, self.steps = tli, steps
        delay_s = 0.0002 + (self.slow_s * self.world.rng.random() if self.slow_s else 0.0)
        self.world.after(delay_s, self._flush_received, self.life, call, wal, upto)

    def _flush_received(self, life: int, call: int, wal: list[Entry], upto: int) -> None:
        if life != self.life or call != self.receiver_call or not self.in_recovery:
            return
        if upto > len(self.wal):
            self.wal.extend(wal[len(self.wal) : upto])
        self.received = True
        self._ack()

    def _ack(self) -> None:
        line = (self.name, self.peer.name, 0)
        what = (self.receiver_call, len(self.wal))
        self.network.send(line, self.peer.acknowledged, *what, sure=True)

    def _watch(self, life: int) -> None:
        """The primary gives up silent walreceivers, and says that it lives."""
        if life != self.life:
            return
        if not self.in_recovery and not self.hung:
            limit_s = self.world.now - SENDER_TIMEOUT_S
            self.senders = [one for one in self.senders if one.heard_s > limit_s]
            self._push()
        self.world.after(0.5, self._watch, life)

    # ---- the operations of a daemon

    def promote(self, op_id: str) -> tuple[int, int]:
        """Out of recovery on a new timeline: (timeline, where it left the old one)."""
        switch_lsn = len(self.wal)
        self.tli += 1
        self.steps = (*self.steps, TimelineStep(self.tli, switch_lsn, op_id))
        self.in_recovery = self.streaming = False
        self.production = True
        self.receiver_call += 1
        self.wal.append(Entry("promoted", self.tli, body=self.name))
        self._show_all()
        return self.tli, switch_lsn

    def copy_from(self, source: Postgres) -> None:
        """A base backup, complete."""
        self.has_data = True
        self.wal = list(source.wal)
        self.tli, self.steps, self.system_id = source.tli, source.steps, source.system_id
        self.production = self.clean = False
        self.names = NOBODY_NAMES
        self.renamed()

    def rewind_to(self, source: Postgres, left_at: int) -> bool:
        """pg_rewind: from ``left_at`` on the source's pages and log; before it, what is here."""
        steps = [step for step in source.steps if step.tli > self.tli]
        if not steps or steps[0].switch_lsn != left_at:
            return False
        kept = self.wal[:left_at]
        self.copy_from(source)
        self.wal[: len(kept)] = kept
        return True

    def facts(self) -> Facts:
        """What a probe sees."""
        held = len(self.wal)
        rows = tuple(Walsender(one.name, "streaming", one.flush_lsn) for one in self.senders)
        oldest_s = self.world.now - self.waiting[0].since_s if self.waiting else 0.0
        recovery = self.in_recovery
        return Facts(
            in_recovery=recovery,
            system_id=self.system_id,
            tli=self.tli,
            flush_lsn=0 if recovery else held,
            receive_lsn=held if recovery and self.received else 0,
            replay_lsn=held if recovery and not self.replay_paused else 0,
            postmaster_start=self.started_us,
            names=self.names,
            walsenders=rows,
            oldest_sync_wait_s=oldest_s,
            replay_paused=self.replay_paused,
            receiver_streaming=self.streaming,
        )

    def number_after(self, counter: str) -> int:
        """The next receipt number of a counter's series."""
        taken = [entry.number for entry in self.wal if entry.key[:2] == counter.encode()]
        return max(taken, default=0) + 1
