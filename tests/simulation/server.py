"""The daemon's money path as the cluster's promises need it: gate, fence, key, commit, ack gate.

One lane: one transaction at a time, as the series row would have it. A COMMIT is never cancelled
by the daemon; what is not certain is answered PENDING. A known key's answer, receipt or conflict,
passes a barrier first. An enquiry shows rows only while the gate that it began behind is open.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

from cluster.standing import Standing
from tests.simulation.node import Node
from tests.simulation.wal import Entry
from tests.simulation.world import World

QUEUE: Final = 16
PATIENCE_S: Final = 1.0
POLL_S: Final = 0.005
SEQUENCE_AHEAD: Final = 32
"""PostgreSQL logs a sequence that many values ahead: a crash skips them (a planted bug)."""


class Request(NamedTuple):
    """One payment as it came: its key, its body, the counter it is for, where the answer goes."""

    key: bytes
    body: str
    counter: str
    answer: Callable[[str, int, bool], None]


class Answer(NamedTuple):
    """What is to be said of a request once it is certain."""

    request: Request
    stood: Standing
    code: str
    number: int
    replay: bool


class Server:
    """``acknowledge(node, answer)`` is told before a receipt leaves, ``show`` before a row does."""

    def __init__(self, world: World, node: Node) -> None:
        self.world = world
        self.node = node
        self.lane: deque[Request] = deque()
        self.busy = False
        self.life = (0, 0)
        self.acknowledge: Callable[[Node, Answer], None] = lambda node, answer: None
        self.show: Callable[[Node, Standing, bytes, tuple[str, int, int]], None] = (
            lambda node, stood, key, row: None
        )
        self.callers: dict[tuple[str, int, int], Callable[[], None]] = {}
        self.was_open = False
        self.promised: dict[bytes, tuple[int, int]] = {}
        """Planted: key → (xid, number) of what may be PENDING; terminals carry it about."""
        self.drawn: dict[str, int] = {}
        """Planted: counter → the server's life in which its sequence was last drawn from."""

    def planted(self, bug: str) -> bool:
        """Is this bug planted?"""
        return bug in self.world.planted

    def tell_all(self) -> None:
        """The gate opened, shut, or the process is gone: every connection learns it."""
        if self.node.alive and self.is_open == self.was_open:
            return
        self.was_open = self.is_open
        for tell in list(self.callers.values()):
            tell()
        if not self.node.alive:
            self.callers.clear()

    @property
    def is_open(self) -> bool:
        """Terminals are welcome."""
        return self.node.alive and self.node.standing.open

    def is_busy(self) -> bool:
        """Something is being served."""
        return self.busy and self.life == (self.node.life, self.node.postgres.life)

    def _admitted(self, stood: Standing) -> bool:
        """A session can be had: the server runs, and it is the one the gate was armed for (F2)."""
        server = self.node.postgres
        watched = server.started_us == stood.postmaster_start
        if server.up and not watched:
            self.world.hit["session of a restarted server refused"] += 1
            return self.planted("sessions_unwatched") or self.planted("start_time_unwatched")
        return server.up

    # ---- enquiries

    def enquire(self, counter: str) -> None:
        """A terminal asks for the last receipt of a counter."""
        server, stood = self.node.postgres, self.node.standing
        if not self.node.alive or self.node.later(self.enquire, counter):
            return
        if not self.is_open or not self._admitted(stood) or server.hung or server.in_recovery:
            return
        rows = [(row[1], key) for key, row in server.visible.items() if key[:2] == counter.encode()]
        if rows:
            _, key = max(rows)
            took_s = self.world.between(0.001, 0.004)
            self.world.after(took_s, self._shown, stood, key, server.visible[key])

    def _shown(self, stood: Standing, key: bytes, row: tuple[str, int, int]) -> None:
        if not self.node.alive or self.node.later(self._shown, stood, key, row):
            return
        now = self.node.standing
        if now.open and now.term == stood.term:
            self.show(self.node, stood, key, row)

    # ---- payments

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
        if not self._admitted(stood) or server.in_recovery or server.fence != stood.term:
            request.answer("PENDING", 0, False)
            return
        if self.world.now < server.async_until_s and not self.planted("async_unseen"):
            self.world.hit["asynchronous commit refused (F8)"] += 1
            request.answer("BUSY", 0, False)
            return
        known = server.visible.get(request.key)
        if self.planted("key_apart") and request.key not in server.keys:
            known = None
        if known is not None:
            self._known(request, stood, known)
        elif any(one.entry.key == request.key for one in server.waiting):
            request.answer("PENDING", 0, False)
        elif not self._believed(request, stood):
            number = self._number(request.counter)
            entry = Entry("pay", server.tli, request.key, request.body, number)
            self.promised[request.key] = (len(server.wal) + 1, number)
            self._commit(entry, Answer(request, stood, "RECEIPT", number, False))

    def _number(self, counter: str) -> int:
        server = self.node.postgres
        number = server.number_after(counter)
        if self.planted("sequence_for_receipts"):
            drawn, self.drawn[counter] = self.drawn.get(counter), server.life
            if drawn not in {None, server.life}:
                number += SEQUENCE_AHEAD
        return number

    def _believed(self, request: Request, stood: Standing) -> bool:
        """Planted: doubt is resolved by pg_xact_status, not by the key."""
        if not self.planted("xid_believed"):
            return False
        xid, number = self.promised.get(request.key, (0, 0))
        if self.node.postgres.status_of(xid) != "committed":
            return False
        self._reply(Answer(request, stood, "RECEIPT", number, True))
        return True

    def _known(self, request: Request, stood: Standing, row: tuple[str, int, int]) -> None:
        body, number, _ = row
        if body == request.body:
            self.world.hit["replayed"] += 1
            answer, bug = Answer(request, stood, "RECEIPT", number, True), "replay_without_barrier"
        else:
            self.world.hit["conflict refused"] += 1
            answer, bug = Answer(request, stood, "KEY_CONFLICT", 0, True), "conflict_before_barrier"
        if self.planted(bug):
            self._reply(answer)
            return
        self._commit(Entry("barrier", self.node.postgres.tli), answer)

    def _commit(self, entry: Entry, answer: Answer) -> None:
        self.busy = True
        life = self.life
        answered = [False]

        def late() -> None:
            if not answered[0] and life == self.life:
                answered[0] = True
                self._say(answer.request, "PENDING")

        def done(warned: bool) -> None:
            if life != self.life or not self.node.alive or self.node.later(done, warned):
                return
            self.busy = False
            if warned:
                self.world.hit["commit returned with a warning"] += 1
            if self.planted("key_apart") and entry.kind == "pay":
                key = Entry("key", entry.tli, entry.key)
                self.node.postgres.commit(key, lambda warned: None)
            if not answered[0]:
                answered[0] = True
                self._gate(answer, warned)
            self._next()

        self.node.postgres.commit(entry, done)
        self.world.after(PATIENCE_S, late)

    def _gate(self, answer: Answer, warned: bool) -> None:
        if self.planted("ack_gate_ignored"):
            self._reply(answer)
            return
        if warned:
            self._say(answer.request, "PENDING")
            return
        target_lsn = self.node.postgres.flushed_lsn()
        self._await_flush(answer, target_lsn, self.world.now + PATIENCE_S)

    def _await_flush(self, answer: Answer, target_lsn: int, until_s: float) -> None:
        again = (answer, target_lsn, until_s)
        if not self.node.alive or self.node.later(self._await_flush, *again):
            return
        now, stood = self.node.standing, answer.stood
        same = (now.open or now.finishing, now.term) == (True, stood.term)
        if not same or self.world.now > until_s or not self.node.postgres.up:
            self._say(answer.request, "PENDING")
        elif now.alone or self._flushed(now.sync_name, target_lsn):
            self._reply(answer)
        else:
            self.world.after(POLL_S, self._await_flush, *again)

    def _flushed(self, name: str, target_lsn: int) -> bool:
        """Exactly one walsender has this name, and it has flushed that far."""
        rows = self.node.postgres.senders
        if self.planted("any_walreceiver_acknowledges"):
            return any(one.flush_lsn >= target_lsn for one in rows)
        named = [one for one in rows if one.name == name]
        return len(named) == 1 and named[0].flush_lsn >= target_lsn

    def _reply(self, answer: Answer) -> None:
        self.acknowledge(self.node, answer)
        answer.request.answer(answer.code, answer.number, answer.replay)

    def _say(self, request: Request, code: str) -> None:
        if self.node.alive and not self.node.later(self._say, request, code):
            request.answer(code, 0, False)
