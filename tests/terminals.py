"""A terminal for tests: real TCP, real TLS, real frames; it says what it is told and hears what
comes.

async with Terminal.calling(port, papers.give("counter", "C001"), cluster) as terminal: await
terminal.welcome() await terminal.sign_in("asha", PASSWORD) answer = await
terminal.ask("payments.take", ["1000000001", 12500], sequence=1)
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Self

from msgspec import Raw, msgpack
from twisted.internet.protocol import ClientFactory
from twisted.protocols.tls import TLSMemoryBIOFactory

from protocols.codec import encode, from_server
from protocols.frames import FrameError
from protocols.messages import (
    Beat,
    FromServer,
    Hello,
    Message,
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
from protocols.shell.clock import BootClock
from protocols.shell.stream import Limits, Stream
from protocols.shell.tls import ALPN_TERMINAL, TlsFiles, client_side
from protocols.values import RequestKey

CLIENT = bytes(range(16))
PATIENCE_S = 10.0
DOWN = "down"


class Terminal:
    """One connection. What came is in ``heard``, in order; DOWN ends it."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[FromServer | str] = asyncio.Queue()
        self.notices: list[Notice] = []
        self.stream: Stream | None = None
        self.tls: Any = None
        self._up = asyncio.Event()
        self._seq = 0

    @classmethod
    @asynccontextmanager
    async def calling(cls, port: int, files: TlsFiles, cluster: str) -> AsyncIterator[Self]:
        """A connection to that port; closed at the end."""
        terminal = cls()
        await terminal.call(port, files, cluster)
        try:
            yield terminal
        finally:
            await terminal.hang_up()

    async def call(self, port: int, files: TlsFiles, cluster: str) -> None:
        """Connect; returns once TLS is up or the connection is down again."""
        from twisted.internet import reactor

        stream = Stream(self, BootClock(), ALPN_TERMINAL, Limits(hello_s=0))
        inside = ClientFactory()
        inside.buildProtocol = lambda _: stream  # type: ignore[method-assign, assignment]
        factory = TLSMemoryBIOFactory(client_side(files, cluster), True, inside)
        reactor.connectTCP("127.0.0.1", port, factory)
        await asyncio.wait_for(self._up.wait(), PATIENCE_S)

    async def hang_up(self) -> None:
        """Close and wait until it is closed."""
        if self.stream is not None and self.stream.transport is not None:
            self.stream.transport.abortConnection()
            while await self.hear() != DOWN:
                pass

    # ------------------------------------------------------------------- what the stream says

    def stream_up(self, stream: Stream) -> None:
        self.stream = stream
        self._up.set()

    def frame_came(self, stream: Stream, payload: bytes) -> None:
        message = from_server(payload)
        if isinstance(message, Notice):
            self.notices.append(message)
        elif not isinstance(message, Beat):
            self.heard.put_nowait(message)

    def stream_broken(self, stream: Stream, wrong: FrameError) -> None:
        raise AssertionError(wrong)

    def stream_late(self, stream: Stream, what: str) -> None:
        raise AssertionError(what)

    def stream_down(self, stream: Stream, reason: str) -> None:
        self.stream = None
        self.heard.put_nowait(DOWN)
        self._up.set()

    # ----------------------------------------------------------------------------- talking

    async def hear(self) -> FromServer | str:
        """The next thing said."""
        return await asyncio.wait_for(self.heard.get(), PATIENCE_S)

    def say(self, message: Message) -> None:
        assert self.stream is not None, "the connection is down"
        self.stream.send(encode(message))

    def raw(self, data: bytes) -> None:
        """Bytes as they are, below the framing."""
        assert self.stream is not None
        assert self.stream.transport is not None
        self.stream.transport.write(data)

    async def welcome(self, epoch: int = 0) -> Welcome:
        self.say(Hello(1, "test", epoch))
        said = await self.hear()
        assert isinstance(said, Welcome), said
        return said

    async def welcomed_in_time(self) -> Welcome:
        """Say Hello to a node that may still be opening: it welcomes who waits."""
        self.say(Hello(1, "test"))
        while not isinstance(said := await self.hear(), Welcome):
            assert isinstance(said, NotPrimary), said
        return said

    async def sign_in(self, user: str, password: str) -> Session:
        self.say(SignIn(user, password))
        said = await self.hear()
        assert isinstance(said, Session), said
        return said

    async def refused_sign_in(self, user: str, password: str) -> str:
        self.say(SignIn(user, password))
        said = await self.hear()
        assert isinstance(said, Refusal), said
        return said.code

    async def resume(self, token: bytes) -> FromServer | str:
        self.say(Resume(token))
        return await self.hear()

    def request(self, operation: str, body: Any, sequence: int | None = None) -> Request:
        self._seq += 1
        key = None if sequence is None else RequestKey(CLIENT, sequence)
        return Request(self._seq, operation, key, Raw(msgpack.encode(body)))

    async def ask(self, operation: str, body: Any, sequence: int | None = None) -> Reply | Refusal:
        said = self.request(operation, body, sequence)
        self.say(said)
        answer = await self.hear()
        assert isinstance(answer, Reply | Refusal), answer
        assert answer.seq == said.seq, answer
        return answer

    async def code(self, operation: str, body: Any, sequence: int | None = None) -> str:
        """The refusal's code, '' for a reply."""
        answer = await self.ask(operation, body, sequence)
        return answer.code if isinstance(answer, Refusal) else ""

    async def body(self, operation: str, body: Any, sequence: int | None = None) -> Any:
        """The reply's body as plain values."""
        answer = await self.ask(operation, body, sequence)
        assert isinstance(answer, Reply), answer
        return msgpack.decode(bytes(answer.body))


async def employ(admin: Terminal, user: str, role: str, password: str, number: int) -> None:
    """Add a person and their login by the only administrator, who alone may still appoint; uses
    three sequences from ``number``.
    """
    staff, added = f"E-{user.upper()}", role if role in {"clerk", "ops"} else "clerk"
    await admin.body("security.add_person", [staff, user.title(), "Staff", "HO"], number)
    await admin.body("security.add_user", [user, staff, added, password], number + 1)
    if added != role:
        await admin.body("security.appoint", [user, role, "first of the board"], number + 2)
