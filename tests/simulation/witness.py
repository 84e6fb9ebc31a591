"""The witness process with its file: the real register, an fsync that takes its time, a crash that
keeps exactly what was fsynced.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import structs

from cluster.actions import ANYTHING
from cluster.arbiter.register import (
    Kept,
    Register,
    judge,
    kept_flush,
    kept_of,
    relay_for,
    start,
    swapped,
    took,
)
from protocols.peer import NodeBeat, Record
from tests.simulation.network import Network
from tests.simulation.world import World

NODES = ("a", "b")
Answer = Callable[[bool, Record | None, str], None]


class Witness:
    """``stored`` is told of every record that has become the register's."""

    def __init__(self, world: World, network: Network, kept: Kept) -> None:
        self.world = world
        self.network = network
        self.file = kept
        self.starts = 0
        self.alive = False
        self.frozen: list[tuple[Callable[..., None], tuple[Any, ...]]] | None = None
        self.torn = False
        self.backups: list[Kept] = []
        self.slow_s = 0.0
        self.busy = False
        self.writing: Record | None = None
        self.doomed: Callable[[], None] | None = None
        """Called in the middle of the next write."""
        self.queue: list[tuple[str, int | None, Record, Answer]] = []
        self.register: Register
        self.stored: Callable[[Record | None, Record], None] = lambda before, after: None
        self.restart()

    def restart(self) -> None:
        """A new process on what the file holds."""
        self.starts += 1
        self.alive, self.busy, self.frozen = True, False, None
        self.queue = []
        self.spoke: set[str] = set(NODES) if self.file.record is None else set()
        self.register = start(NODES, f"w{self.starts}", self.file)
        if "nonce_ignored" in self.world.planted:
            self.register = structs.replace(self.register, confirmed=frozenset(NODES))
        record = self.file.record
        if "confirmed_for_ever" in self.world.planted and record is not None and record.trusted:
            self.register = structs.replace(self.register, confirmed=frozenset(NODES))
        self.world.after(1.0, self._keep_flush, self.starts)

    def crash(self) -> None:
        """Killed: memory is gone, the file stays; a rename under way has happened or has not."""
        self.alive = False
        self.starts += 1
        record, self.writing = self.writing, None
        if record is not None and "witness_without_fsync" not in self.world.planted:
            self.world.hit["witness crashed while writing"] += 1
            if self.world.chance(0.5):
                self.file = kept_of(self.register, record)
                self.stored(self.register.record, record)

    def keep_backup(self) -> None:
        """Somebody copies the file now and then."""
        self.backups = [*self.backups, self.file][-8:]

    def lose_file(self, *, torn: bool) -> bool:
        """Killed, and the file is torn, or an older one (a lying disk, a backup put back).

        False if there is no older one.
        """
        epoch = self.file.record.epoch if self.file.record else 0
        older = [one for one in self.backups if one.record is None or one.record.epoch < epoch]
        if not (torn or older):
            return False
        self.crash()
        self.torn = torn
        if not torn:
            self.file = self.world.rng.choice(older)
        return True

    def begin_anew(self) -> None:
        """A person starts a new process on an empty folder; the nodes bring the record."""
        if self.alive:
            self.crash()
        self.torn = False
        self.file = Kept()
        self.backups = []
        self.restart()

    def freeze(self) -> None:
        """SIGSTOP."""
        if self.alive and self.frozen is None:
            self.frozen = []

    def thaw(self) -> None:
        """SIGCONT: what was in its sockets is handled now."""
        held, self.frozen = self.frozen or [], None
        for call, args in held:
            call(*args)

    def _held(self, call: Callable[..., None], *args: Any) -> bool:
        if self.frozen is not None:
            self.frozen.append((call, args))
            return True
        return not self.alive

    # ---- what nodes ask

    def read(self, node: str, answer: Callable[[Record | None, str], None]) -> None:
        """Read linearizably."""
        if not self._held(self.read, node, answer):
            self._send(node, answer, self.register.record, self.register.nonce)

    def beat(self, beat: NodeBeat, answer: Callable[..., None]) -> None:
        """A node leaves its beat and takes the other's."""
        if self._held(self.beat, beat, answer):
            return
        self.spoke.add(beat.node)
        self.register = took(self.register, beat, self.world.now)
        self._send(beat.node, answer, relay_for(self.register, beat.node, self.world.now))

    def swap(self, node: str, expected: int | None, record: Record, answer: Answer) -> None:
        """Compare and swap: one at a time, durable before it is answered."""
        if not self._held(self.swap, node, expected, record, answer):
            if expected == ANYTHING:
                stored = self.register.record
                expected = stored.epoch if stored is not None else None
            self.queue.append((node, expected, record, answer))
            self._next()

    def _next(self) -> None:
        if self.busy or not self.queue:
            return
        node, expected, record, answer = self.queue.pop(0)
        refusal = judge(self.register, expected, record)
        if refusal.startswith("epoch") and "epoch_fence" in self.world.planted:
            refusal = ""
        if refusal:
            self._send(node, answer, False, self.register.record, self.register.nonce)
            self._next()
            return
        self.busy, self.writing = True, record
        delay_s = 0.001 + (self.slow_s * self.world.rng.random() if self.slow_s else 0.0)
        if self.doomed is not None:
            kill, self.doomed = self.doomed, None
            self.world.after(delay_s / 2, kill)
        self.world.after(delay_s, self._durable, self.starts, node, record, answer)

    def _durable(self, starts: int, node: str, record: Record, answer: Answer) -> None:
        if starts != self.starts:
            return
        kept = kept_of(self.register, record)
        if "witness_without_fsync" in self.world.planted:
            self.world.after(2.0, self._late_flush, starts, kept)
        else:
            self.file = kept
        self.writing = None
        before = self.register.record
        self.register = swapped(self.register, record)
        self.stored(before, record)
        self.busy = False
        self._send(node, answer, True, record, self.register.nonce)
        self._next()

    def _keep_flush(self, starts: int) -> None:
        """Now and then, beside everything: what the standby must hold."""
        if starts != self.starts or not self.alive:
            return
        kept = kept_flush(self.register, self.file)
        same = self.file.record == self.register.record
        if kept is not None and same and not self.busy and self.frozen is None:
            self.file = kept
        self.world.after(1.0, self._keep_flush, starts)

    def _late_flush(self, starts: int, kept: Kept) -> None:
        if starts == self.starts:
            self.file = kept

    def _send(self, node: str, answer: Callable[..., None], *args: Any) -> None:
        self.network.send(("w", node, 0), answer, *args)
