"""The door of the building: listens for terminals, lets them in at a bounded rate, TLS only after
admission.

Invariants: a flood costs a bounded number of sockets and handshakes and never those of others; an
address that leaves its handshakes unfinished is turned away at the door without a token of the
others. Above the rate the queue is the kernel's: the port reads no more until there are tokens
again. Admission is pure (``Admission``); what is said inside is the connection's. This file must
not know operations or sessions.
"""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from typing import Final

import structlog
from twisted.internet.interfaces import IReactorTime

from mpowerd.connection import Connection, Line
from mpowerd.hall import Hall
from protocols.frames import FrameError
from protocols.messages import HELLO_DEADLINE_S
from protocols.shell.loop_tls import HANDSHAKE_S, Acceptor
from protocols.shell.stream import Limits, Stream
from protocols.shell.tls import ALPN_TERMINAL

PER_ADDRESS: Final = 512
"""Connections from one address: a whole office behind one router, and a demonstration on one
machine.
"""
UNFINISHED_PER_ADDRESS: Final = 64
"""Handshakes one address may have unfinished: ten counters that reconnect at once, and room."""
PACE_PER_ADDRESS: Final = 32.0
"""Connections a second one address gets once it has had PER_ADDRESS at once: a handshake costs
milliseconds of processor whoever makes it, and an honest terminal makes one an hour.
"""
PACED: Final = 4_096
"""Addresses whose pace is remembered; the one that has been quiet longest goes first."""
BACKLOG: Final = 1_024
"""Connections the kernel keeps while the port does not read: a city's terminals after a failover.
"""
REFILL_S: Final = 0.05
ACCEPTED_AT_ONCE: Final = 16
"""Then the loop looks around: a storm of connections must not delay beats."""
SAY_S: Final = 1.0
"""Between two log lines of failed handshakes: a flood writes 20 MB a day, not gigabytes."""
LIMITS: Final = Limits(hello_s=HELLO_DEADLINE_S - HANDSHAKE_S)


class Admission:
    """Who may come in: counts and tokens, no sockets. ``rate`` connections a second, ``most`` at
    once.
    """

    def __init__(self, rate: int, most: int, now_s: float) -> None:
        self._rate, self._most = rate, most
        self._tokens, self._filled_s = float(rate), now_s
        self._here: Counter[str] = Counter()
        self._unfinished: Counter[str] = Counter()
        self._paced: dict[str, tuple[float, float]] = {}
        self.turned_away: Counter[str] = Counter()
        self._unsaid, self._said_s = 0, now_s - SAY_S

    def say(self, now_s: float) -> int:
        """Count a handshake that failed; give how many a log line should tell of now, 0 for none:
        who has no certificate must not fill the disk.
        """
        self._unsaid += 1
        if now_s - self._said_s < SAY_S:
            return 0
        said, self._unsaid, self._said_s = self._unsaid, 0, now_s
        return said

    def refill(self, now_s: float) -> bool:
        """Add the tokens of the time that passed; say whether there is one."""
        self._tokens = min(self._rate, self._tokens + (now_s - self._filled_s) * self._rate)
        self._filled_s = now_s
        return self._tokens >= 1

    def enter(self, host: str) -> str:
        """Let a connection in ('') or say which limit turns it away."""
        why = ""
        if self._unfinished[host] >= UNFINISHED_PER_ADDRESS:
            why = "handshakes unfinished"
        elif self._here[host] >= PER_ADDRESS:
            why = "connections of one address"
        elif self._here.total() >= self._most:
            why = "connections in total"
        elif not self._at_its_pace(host):
            why = "pace of one address"
        if why:
            self.turned_away[why] += 1
            return why
        self._tokens -= 1
        self._here[host] += 1
        self._unfinished[host] += 1
        return ""

    def _at_its_pace(self, host: str) -> bool:
        """Take one of the address's own tokens; whoever was quiet longest is forgotten."""
        left, at_s = self._paced.pop(host, (float(PER_ADDRESS), self._filled_s))
        left = min(PER_ADDRESS, left + (self._filled_s - at_s) * PACE_PER_ADDRESS)
        self._paced[host] = (max(0.0, left - 1), self._filled_s)
        if len(self._paced) > PACED:
            del self._paced[next(iter(self._paced))]
        return left >= 1

    def finished(self, host: str) -> None:
        """A handshake is finished."""
        self._less(self._unfinished, host)

    def left(self, host: str) -> None:
        """A connection is gone."""
        self._less(self._here, host)

    @staticmethod
    def _less(counted: Counter[str], host: str) -> None:
        counted[host] -= 1
        if counted[host] <= 0:
            del counted[host]


class _Guest:
    """The owner of a stream: keeps the door's count right and passes everything on."""

    def __init__(self, connection: Connection, door: Admission, host: str) -> None:
        self._connection, self._door, self._host = connection, door, host
        self._shaking, self._left = True, False

    def stream_up(self, stream: Line) -> None:
        self._finished()
        self._connection.stream_up(stream)

    def frame_came(self, stream: Line, payload: bytes) -> None:
        self._connection.frame_came(stream, payload)

    def stream_broken(self, stream: Line, wrong: FrameError) -> None:
        self._connection.stream_broken(stream, wrong)

    def stream_late(self, stream: Line, what: str) -> None:
        self._connection.stream_late(stream, what)

    def stream_down(self, stream: Line, reason: str) -> None:
        self.leave()
        self._connection.stream_down(stream, reason)

    def leave(self) -> None:
        """The connection is gone, or never was; counted once."""
        self._finished()
        if not self._left:
            self._left = True
            self._door.left(self._host)

    def _finished(self) -> None:
        if self._shaking:
            self._shaking = False
            self._door.finished(self._host)


class Server:
    """The listening side for terminals. ``listen`` once; ``close`` stops listening, no more."""

    def __init__(
        self, hall: Hall, acceptor: Acceptor, clock: IReactorTime, *, rate: int, most: int
    ) -> None:
        self._hall, self._acceptor, self._clock = hall, acceptor, clock
        self.admission = Admission(rate, most, clock.seconds())
        self._listening: socket.socket | None = None
        self._shaking: set[asyncio.Task[None]] = set()

    def listen(self, host: str, port: int) -> int:
        """Listen there; gives the port (the system's choice for 0)."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listening = socket.create_server((host, port), family=family, backlog=BACKLOG)
        self._listening.setblocking(False)
        self._loop().add_reader(self._listening, self._accept)
        return int(self._listening.getsockname()[1])

    async def close(self) -> None:
        """Listen no more; unfinished handshakes end."""
        listening, self._listening = self._listening, None
        if listening is not None:
            self._loop().remove_reader(listening)
            listening.close()
        for task in self._shaking:
            task.cancel()
        await asyncio.gather(*self._shaking, return_exceptions=True)

    @staticmethod
    def _loop() -> asyncio.AbstractEventLoop:
        return asyncio.get_event_loop_policy().get_event_loop()

    def _accept(self) -> None:
        """Take what knocks, a few at a time; without tokens the rest waits in the kernel."""
        for _ in range(ACCEPTED_AT_ONCE):
            if self._listening is None:
                return
            if not self.admission.refill(self._clock.seconds()):
                self._loop().remove_reader(self._listening)
                self._clock.callLater(REFILL_S, self._read_again)
                return
            try:
                accepted, address = self._listening.accept()
            except OSError:  # nobody more, or gone before we looked, or no descriptor: later
                return
            self._admit(accepted, str(address[0]))

    def _read_again(self) -> None:
        if self._listening is not None:
            self._loop().add_reader(self._listening, self._accept)
            self._accept()

    def _admit(self, accepted: socket.socket, host: str) -> None:
        why = self.admission.enter(host)
        if why:
            accepted.close()
            if self.admission.turned_away[why] % 1_000 == 1:
                structlog.get_logger().warning("turned away at the door", why=why, address=host)
            return
        accepted.setblocking(False)
        task = asyncio.ensure_future(self._shake(accepted, host))
        self._shaking.add(task)
        task.add_done_callback(self._shaking.discard)

    async def _shake(self, accepted: socket.socket, host: str) -> None:
        guest = _Guest(Connection(self._hall), self.admission, host)
        try:
            await self._acceptor.accept(
                accepted, lambda: Stream(guest, self._clock, ALPN_TERMINAL, LIMITS)
            )
        except (OSError, asyncio.CancelledError) as wrong:
            accepted.close()
            guest.leave()
            if count := self.admission.say(self._clock.seconds()):
                log = structlog.get_logger()
                log.info("no handshake", why=str(wrong), address=host, count=count)
