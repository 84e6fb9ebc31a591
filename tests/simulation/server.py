"""The daemon's money path as the cluster's promises need it: gate, fence, key, commit, ack gate.

One lane: one transaction at a time, as the series row would have it. A COMMIT is never cancelled
by the daemon; what is not certain is answered PENDING.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

from cluster.standing import Standing
from tests.simulation.node import Node
from tests.simulation.postgres import Entry
from tests.simulation.world import World

QUEUE: Final = 16
PATIENCE_S: Final = 1.0
POLL_S: Final = 0.005


class Request(NamedTuple):
    """One payment as it came: its key, its body, the counter it is for, where the answer goes."""

    key: bytes
    body: str
    counter: str
    answer: Callable[[str, int, bool], None]


class Server:
    """``acknowledge(node, standing, request, number, replay)`` is told before a reply is sent."""

    def __init__(self, world: World, node: Node) -> None:
        self.world = world
        self.node = node
        self.lane: deque[Request] = deque()
        self.busy = False
        self.life = (0, 0)
        self.acknowledge: Callable[..., None] = lambda *args: None
        self.read: Callable[..., None] = lambda *args: None
        self.callers: dict[tuple[str, int, int], Callable[[], None]] = {}
        self.was_open = False

    def tell_all(self) -> None:
        """The gate opened, shut, or the process is gone: every connection learns it."""
        if self.node.alive and self.is_open == self.was_open:
            return
        self.was_open = self.is_open
        for tell in list(self.callers.values()):
            tell()
        if not self.node.alive:
            self.callers.clear()

    def is_busy(self) -> bool:
        """Something is being served."""
        return self.busy and self.life == (self.node.life, self.node.postgres.life)

    @property
    def is_open(self) -> bool:
        """Terminals are welcome."""
        return self.node.alive and self.node.standing.open

    def take(self, request: Request) -> None:
        """A request came in."""
        if not self.node.alive or self.node.later(self.take, request):
            return
        if not self.is_open:
            request.answer("NOT_PRIMARY", 0, False)
            return
        life = (self.node.life, self.node.postgres.life)
        if life != self.life:
            self.life, self.busy = life, False
            self.lane.clear()
        if len(self.lane) >= QUEUE:
            self.world.hit["busy"] += 1
            request.answer("BUSY", 0, False)
            return
        self.lane.append(request)
        self._next()

    def _next(self) -> None:
        while self.lane and not self.busy:
            request = self.lane.popleft()
            stood = self.node.standing
            if not self.is_open:
                request.answer("NOT_PRIMARY", 0, False)
                continue
            self._begin(request, stood)

    def _begin(self, request: Request, stood: Standing) -> None:
        server = self.node.postgres
        if not server.up or server.in_recovery or server.fence != stood.term:
            request.answer("PENDING", 0, False)
            return
        known = server.visible.get(request.key)
        if known is not None:
            self._replay(request, stood, known)
            return
        if any(one.entry.key == request.key for one in server.waiting):
            request.answer("PENDING", 0, False)
            return
        number = server.number_after(request.counter)
        entry = Entry("pay", server.tli, request.key, request.body, number)
        self._commit(entry, request, stood, number, False)

    def _replay(self, request: Request, stood: Standing, known: tuple[str, int, int]) -> None:
        body, number, lsn = known
        self.read(self.node, stood, lsn)
        if body != request.body:
            self.world.hit["conflict refused"] += 1
            request.answer("KEY_CONFLICT", 0, False)
            return
        self.world.hit["replayed"] += 1
        if "replay_without_barrier" in self.world.planted:
            self._reply(request, stood, number, True)
            return
        barrier = Entry("barrier", self.node.postgres.tli)
        self._commit(barrier, request, stood, number, True)

    def _commit(
        self,
        entry: Entry,
        request: Request,
        stood: Standing,
        number: int,
        replay: bool,
    ) -> None:
        self.busy = True
        life = self.life
        answered = [False]

        def late() -> None:
            if not answered[0] and life == self.life:
                answered[0] = True
                self._say(request, "PENDING")

        def done(warned: bool) -> None:
            if life != self.life or not self.node.alive or self.node.later(done, warned):
                return
            self.busy = False
            if warned:
                self.world.hit["commit returned with a warning"] += 1
            if not answered[0]:
                answered[0] = True
                self._gate(request, stood, number, replay, warned)
            self._next()

        self.node.postgres.commit(entry, done)
        self.world.after(PATIENCE_S, late)

    def _gate(
        self,
        request: Request,
        stood: Standing,
        number: int,
        replay: bool,
        warned: bool,
    ) -> None:
        if "ack_gate_ignored" in self.world.planted:
            self._reply(request, stood, number, replay)
            return
        if warned:
            self._say(request, "PENDING")
            return
        target_lsn = len(self.node.postgres.wal)
        self._await_flush(request, stood, number, replay, target_lsn, self.world.now + PATIENCE_S)

    def _await_flush(
        self,
        request: Request,
        stood: Standing,
        number: int,
        replay: bool,
        target_lsn: int,
        until_s: float,
    ) -> None:
        again = (request, stood, number, replay, target_lsn, until_s)
        if not self.node.alive or self.node.later(self._await_flush, *again):
            return
        now = self.node.standing
        same = (now.open or now.finishing, now.term, now.alone, now.sync_name) == (
            stood.open,
            stood.term,
            stood.alone,
            stood.sync_name,
        )
        if not same or self.world.now > until_s or not self.node.postgres.up:
            self._say(request, "PENDING")
            return
        rows = self.node.postgres.senders
        flushed = any(r.name == now.sync_name and r.flush_lsn >= target_lsn for r in rows)
        if now.alone or flushed:
            self._reply(request, stood, number, replay)
        else:
            self.world.after(POLL_S, self._await_flush, *again)

    def _reply(self, request: Request, stood: Standing, number: int, replay: bool) -> None:
        self.acknowledge(self.node, stood, request, number, replay)
        request.answer("RECEIPT", number, replay)

    def _say(self, request: Request, code: str) -> None:
        if self.node.alive and not self.node.later(self._say, request, code):
            request.answer(code, 0, False)
