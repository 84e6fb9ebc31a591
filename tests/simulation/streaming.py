"""Replication: the walsender's and the walreceiver's halves of one server.

A standby on an equal timeline is believed without looking (F5, F14); only the rig looks, and a
history that differs is a violation, unless a disk lost the end of a lone primary (``forked``): then
the standby takes the bytes, cannot read on, and ends its stream, again and again. A walreceiver of
somebody else's is served like any other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.simulation.wal import Commit, Entry, Sender
from tests.simulation.world import Violation

if TYPE_CHECKING:
    from protocols.peer import TimelineStep
    from tests.simulation.network import Network
    from tests.simulation.postgres import Postgres
    from tests.simulation.world import World

SENDER_TIMEOUT_S: Final = 3.0
RETRY_S: Final = 0.2
UNREAD_S: Final = 0.05
"""From bytes that cannot be replayed to the end of their stream."""


class Streaming:
    """What a server does with WAL that comes from, or goes to, elsewhere."""

    # what the server is (``postgres.Postgres``)
    world: World
    network: Network
    name: str
    peer: Postgres
    wal: list[Entry]
    tli: int
    steps: tuple[TimelineStep, ...]
    up: bool
    hung: bool
    life: int
    in_recovery: bool
    admits: bool
    slow_s: float
    full: bool
    waiting: list[Commit]
    names_awaited: str

    def __init__(self) -> None:
        self.senders: list[Sender] = []
        self.source = ""
        self.receiver_name = ""
        self.receiver_call = 0
        self.streaming = False
        self.heard_s = 0.0
        self.received = False
        self.forked = False
        """This primary's disk lost the end of its log while it served alone: nobody could know."""
        self.unreadable_from: int | None = None
        """From there on this standby holds bytes of another history than it has replayed."""

    def replay_lsn(self) -> int:
        """How far a standby has replayed."""
        raise NotImplementedError

    def flushed_lsn(self) -> int:
        """Where the local disk's copy ends: what is sent goes no further."""
        raise NotImplementedError

    def released_upto(self, flushed: int, ours: int) -> None:
        """Commits up to ``flushed`` wait no longer; the pair's standby has those up to ``ours``."""
        raise NotImplementedError

    def ran_full(self) -> None:
        """A write found no room."""
        raise NotImplementedError

    # ---- the primary's end

    def accept(self, name: str, call: int, at_lsn: int, tli: int, prefix: list[Entry]) -> None:
        """A walreceiver asks to stream from ``at_lsn`` on ``tli``."""
        if not self.up or self.in_recovery or self.hung or not self.admits:
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
        if prefix[:at_lsn] != self.wal[:at_lsn] and not self.forked:
            raise Violation(f"history: {self.peer.name} follows {self.name}, and theirs differ")
        self.senders = [one for one in self.senders if one.name != name or one.foreign]
        self.senders.append(Sender(name, call, self.world.now))
        self._carry("accepted", call)

    def push(self) -> None:
        """Send what there is to the pair's standby."""
        for one in reversed(self.senders):
            if not one.foreign:
                self._carry("wal", one.call)
                return

    def _carry(self, what: str, call: int) -> None:
        if self.hung:
            return
        state = (self.wal, self.flushed_lsn(), self.tli, self.steps)
        line = (self.name, self.peer.name, 0)
        self.network.send(line, self.peer.hear, what, call, *state, sure=True)

    def acknowledged(self, call: int, flush_lsn: int, replay_lsn: int) -> None:
        """A walreceiver has flushed that far, and its server replayed."""
        if not self.up or self.hung:
            return
        for one in self.senders:
            if one.call == call:
                one.heard_s = self.world.now
                one.flush_lsn = max(one.flush_lsn, flush_lsn)
                one.replay_lsn = replay_lsn
                self.wake()

    def wake(self) -> None:
        """Release what the standby in force has flushed: PostgreSQL takes any row of that name."""
        name = self.names_awaited
        if not self.waiting or not name:
            return
        rows = [one for one in self.senders if one.name == name]
        flushed = max((one.flush_lsn for one in rows), default=0)
        ours = max((one.flush_lsn for one in rows if not one.foreign), default=0)
        self.released_upto(flushed, ours)

    def watch(self, life: int) -> None:
        """The primary gives up silent walreceivers, and says that it lives."""
        if life != self.life:
            return
        if not self.in_recovery and not self.hung:
            limit_s = self.world.now - SENDER_TIMEOUT_S
            self._part_from([one for one in self.senders if one.heard_s <= limit_s])
            self.push()
        self.world.after(0.5, self.watch, life)

    def peer_gone(self) -> None:
        """The other end closed the connection."""
        self.streaming = False
        self._part_from([one for one in self.senders if not one.foreign])

    def _part_from(self, gone: list[Sender]) -> None:
        """These connections ended; a foreign one of the same name ends with them (``budget``)."""
        names = {one.name for one in gone}
        self.senders = [one for one in self.senders if one.name not in names]

    # ---- the standby's end

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

    def receive(self, life: int) -> None:
        """Every so often: connect if nobody streams, give up who is silent."""
        if life != self.life or not self.in_recovery:
            return
        if self.streaming and self.world.now - self.heard_s > SENDER_TIMEOUT_S:
            self.streaming = False
        if self.streaming:
            self._ack()
        else:
            self._connect()
        self.world.after(RETRY_S, self.receive, life)

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
        if self.peer.forked and self.unreadable_from is None:
            common = min(len(self.wal), upto)
            if wal[:common] != self.wal[:common]:
                self.unreadable_from = len(self.wal)
                self.world.hit["standby on a lost tail"] += 1
        if upto > len(self.wal):
            if self.full:
                self.ran_full()
                return
            self.wal.extend(wal[len(self.wal) : upto])
        self.received = True
        self._ack()
        if self.unreadable_from is not None:
            self.world.after(UNREAD_S, self._give_up, call)

    def _give_up(self, call: int) -> None:
        """The startup process met a record that it cannot read, and ends the stream."""
        if call == self.receiver_call and self.streaming:
            self.streaming = False
            self.network.send((self.name, self.peer.name, 0), self.peer.peer_gone, sure=True)

    def _ack(self) -> None:
        line = (self.name, self.peer.name, 0)
        what = (self.receiver_call, len(self.wal), self.replay_lsn())
        self.network.send(line, self.peer.acknowledged, *what, sure=True)
