"""The hall: every connection there is, how this node greets now, and the one sweep over all of
them.

Invariants: a certificate holds at most its kind's number of connections and the newest wins (the
oldest is closed and that is audited; two that keep displacing each other raise an alarm); while the
doors are shut nothing is dispatched; when the standing closes, every welcomed connection hears
NotPrimary and is closed. This file must not know the transport nor what an operation does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Iterator
from typing import Any, Final

import structlog
from msgspec import Struct

from mpowerd.connection import Connection
from mpowerd.dispatch import Dispatch
from mpowerd.faults import refusal
from mpowerd.quarrels import Quarrels
from mpowerd.quotas import PAYMENT, REQUEST, SIGN_IN, Quotas
from mpowerd.seats import CONNECTIONS, Asker, own_operations
from mpowerd.sessions import Sessions
from mpowerd.sign_in import SignIns
from protocols import talk as table
from protocols.catalogue import CATALOGUE
from protocols.faults import refusal as put_off
from protocols.messages import (
    Notice,
    NotPrimary,
    Refusal,
    Reply,
    Request,
    Resume,
    Session,
    SignIn,
    Welcome,
)
from protocols.refusals import Refused
from protocols.talk import Happening

SWEEP_S: Final = 1.0


class Doors(Struct, frozen=True):
    """What is behind the counters while this node is the primary. ``displaced`` audits that."""

    dispatch: Dispatch
    sign_ins: SignIns
    sessions: Sessions
    displaced: Callable[[Asker, int], Coroutine[Any, Any, None]]
    light: Collection[str] = frozenset()
    """Operations that are posted in batches: each costs little."""


def _uncounted(_answer: Reply | Refusal) -> None:
    """Nobody counts."""


def _unheard(_kind: str, _text: str) -> None:
    """Nobody hears of alarms."""


def _ms(wait_s: float) -> int:
    return max(1, round(wait_s * 1000))


class Hall:
    """``clock`` is monotonic; ``later_epoch`` hears of an epoch a terminal has seen elsewhere;
    ``counted`` of every answer, ``alarm`` of certificates that seem copied ('' ends it);
    ``quotas`` say how much a certificate may ask.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        here: NotPrimary,
        later_epoch: Callable[[int], None],
        counted: Callable[[Reply | Refusal], None] = _uncounted,
        alarm: Callable[[str, str], None] = _unheard,
        quotas: Quotas | None = None,
    ) -> None:
        self.alarm = alarm
        self.quotas = quotas or Quotas({})
        self.now_s, self.epoch_seen, self.counted = clock, later_epoch, counted
        self._here: Welcome | NotPrimary = here
        self._doors: Doors | None = None
        self._holding = False
        self._seated: dict[str, list[Connection]] = {}
        self._sessions: dict[bytes, Connection] = {}
        self._quarrels, self._copied = Quarrels(), ""
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def is_open(self) -> bool:
        """Terminals are welcomed."""
        return self._doors is not None

    def seats(self) -> dict[str, tuple[int, int]]:
        """For each certificate that is here: its connections, and on how many somebody is signed
        in.
        """
        return {
            subject: (len(held), sum(one.session is not None for one in held))
            for subject, held in self._seated.items()
        }

    def __iter__(self) -> Iterator[Connection]:
        return iter([one for held in self._seated.values() for one in held])

    # ------------------------------------------------------------------ opening and closing

    def open(self, welcome: Welcome, doors: Doors) -> None:
        """Greet with Welcome from now on; who waits is welcomed at once."""
        self._doors, self._holding = doors, False
        doors.sessions.ended = self._session_ended
        self.greet(welcome)

    def greet(self, here: Welcome) -> None:
        """Change the greeting while open: the epoch or the business date changed."""
        self._here = here
        self._tell(table.Opened(here))

    def hold(self) -> None:
        """Take nothing new; what is being served is still answered. ``close`` follows soon, and
        what was asked meanwhile is asked again elsewhere.
        """
        self._doors = None
        self._holding = True

    def close(self, here: NotPrimary) -> None:
        """Greet with NotPrimary from now on; every welcomed connection hears it and is closed."""
        self._here, self._doors, self._holding = here, None, False
        self._tell(table.Lost(here))

    def push(self, notice: Notice) -> None:
        """Say something to every terminal."""
        self._tell(table.Pushed(notice))

    def sweep(self) -> None:
        """Close what has fallen silent. Called every SWEEP_S."""
        now_s = self.now_s()
        for connection in self:
            if connection.silent(now_s):
                connection.happened(table.Deadline("beat"))
        for subject, times in self.quotas.told_over().items():
            structlog.get_logger().warning("over its quota", subject=subject, times=times)
        self.quotas.forget(now_s)
        for newer, times in self._quarrels.quiet(now_s):
            self._tell_displaced(newer, times)
        self._tell_copied()

    def _tell(self, happening: Happening) -> None:
        for connection in self:
            connection.happened(happening)

    # --------------------------------------------------------- what a connection asks of the hall

    def seat(
        self, connection: Connection, kind: str
    ) -> tuple[Welcome | NotPrimary, frozenset[str]]:
        """Give a place; the oldest connection of the certificate makes room if there is none."""
        subject = connection.asker.subject
        held = self._seated.setdefault(subject, [])
        held.append(connection)
        while len(held) > CONNECTIONS[kind]:
            self._displace(held.pop(0), connection.asker)
        return self._here, own_operations(subject, CATALOGUE)

    def _displace(self, older: Connection, newer: Asker) -> None:
        older.happened(table.Displaced())
        self._quarrels.displaced(newer, older.asker, self.now_s())
        told = self._quarrels.told(newer.subject, self.now_s())
        if told is not None:
            self._tell_displaced(*told)
        self._tell_copied()

    def _tell_displaced(self, newer: Asker, times: int) -> None:
        log = structlog.get_logger()
        log.info("displaced", subject=newer.subject, by=newer.address, times=times)
        if self._doors is not None:
            self._run(self._doors.displaced(newer, times))

    def _tell_copied(self) -> None:
        """Raise the alarm with everybody it concerns, or end it."""
        text = self._quarrels.copied()
        if text != self._copied:
            self._copied = text
            self.alarm("certificate-copied", text)

    def left(self, connection: Connection) -> None:
        """Forget a connection that is gone."""
        held = self._seated.get(connection.asker.subject, [])
        if connection in held:
            held.remove(connection)
        if not held:
            self._seated.pop(connection.asker.subject, None)
        if connection.session and self._sessions.get(connection.session) is connection:
            del self._sessions[connection.session]

    def read(self, connection: Connection) -> float:
        """Count a message against the certificate's quota; gives the seconds until the next."""
        return self.quotas.read(connection.asker.subject, self.now_s())

    def ask(self, connection: Connection, request: Request) -> None:
        """Dispatch a request; one that meets shut doors is NOT_PRIMARY, one above the certificate's
        quota is BUSY, and its line is read no more until there is room.
        """
        if self._holding:
            return
        if self._doors is None:
            connection.answered(refusal(request.seq, Refused("NOT_PRIMARY")))
            return
        tokens = PAYMENT if request.operation in self._doors.light else REQUEST
        wait_s = self.quotas.spend(connection.asker.subject, tokens, self.now_s())
        if wait_s:
            connection.slow(wait_s)
            connection.answered(put_off(request.seq, Refused("BUSY"), _ms(wait_s)))
        else:
            self._doors.dispatch.ask(
                connection.asker, connection.session, request, connection.answered
            )

    async def check(self, asker: Asker, claim: SignIn | Resume) -> Session:
        """Check a password or a token; raises Refused, BUSY above the certificate's quota."""
        if self._doors is None:
            raise Refused("NOT_PRIMARY")
        tokens = SIGN_IN if isinstance(claim, SignIn) else REQUEST
        if self.quotas.spend(asker.subject, tokens, self.now_s()):
            raise Refused("BUSY")
        if isinstance(claim, SignIn):
            return await self._doors.sign_ins.sign_in(asker, claim)
        return await self._doors.sign_ins.resume(asker, claim)

    def hang(self, session: bytes, connection: Connection) -> None:
        """Remember which connection a session is used on."""
        self._sessions[session] = connection

    def forget(self, session: bytes) -> None:
        """End a session because its person signed out."""
        self._sessions.pop(session, None)
        if self._doors is not None:
            self._run(self._doors.sessions.forget(session))

    def _session_ended(self, session: bytes, code: str) -> None:
        connection = self._sessions.pop(session, None)
        if connection is not None:
            connection.session = None
            connection.happened(table.SessionEnded(Refused(code)))

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._ran)

    def _ran(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            structlog.get_logger().error("beside a connection", exc_info=error)
