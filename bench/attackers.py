"""An attacker in a process of its own, with a stolen certificate: ``python -m bench.attackers PORT
CA CERT KEY USER PASSWORD``.

A line with the name of an attack begins it, and "at it" is printed once it has begun; an empty line
ends it, with every connection it had, and "calm" is printed. It attacks as hard as it can. It knows
the protocol's bytes, and nothing of the server.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final, TypeAlias

from msgspec import Raw, msgpack

from protocols.codec import encode
from protocols.frames import frame
from protocols.messages import MAX_FRAME_BYTES, Hello, Message, Request, SignIn

OWN: Final = "127.0.0.66"
"""The address it comes from."""
SIDE_BY_SIDE: Final = 4
"""As many connections are tried at once: more only compete with each other."""
AT_ONCE: Final = 8
"""Requests a connection may have unanswered."""
TOGETHER: Final = 200
"""Requests in one write of who never reads."""
DRIP_S: Final = 0.05
BEGUN_S: Final = 0.3
"""Then an attack is at its full strength: its connections are there, its buffers full."""
KINDS: Final = {
    "connections": "connects and drops, without a certificate",
    "handshakes": "whole handshakes, one after the other",
    "slow": "clients that let a frame drip",
    "oversized": "frames of four gigabytes",
    "deaf": "clients that never read an answer",
    "sign_ins": "a password after the other",
    "requests": "a signed-in counter that asks without end",
}
"""What it can do."""
ALONE: Final = frozenset({"requests", "sign_ins", "deaf"})
"""One certificate has one seat: a second connection would only displace the first."""
Reader: TypeAlias = asyncio.StreamReader
Writer: TypeAlias = asyncio.StreamWriter


def framed(message: Message) -> bytes:
    """Write a message as it travels."""
    return frame(encode(message), MAX_FRAME_BYTES)


class Attacker:
    """Where it attacks, with which papers, and as whom."""

    def __init__(
        self, port: int, ca: str, certificate: str, key: str, user: str, password: str
    ) -> None:
        self.port, self.user, self.password = port, user, password
        self.tls = ssl.create_default_context(cafile=ca)
        self.tls.check_hostname = False
        self.tls.load_cert_chain(certificate, key)
        self.tls.set_alpn_protocols(["mpower/1"])
        self._open: set[Writer] = set()

    async def call(self) -> tuple[Reader, Writer]:
        self._open = {one for one in self._open if not one.is_closing()}
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self.port, ssl=self.tls, local_addr=(OWN, 0)
        )
        self._open.add(writer)
        return reader, writer

    def hang_up(self) -> None:
        """Cut off every connection there is."""
        for writer in self._open:
            writer.transport.abort()
        self._open.clear()

    async def greet(self) -> tuple[Reader, Writer]:
        reader, writer = await self.call()
        writer.write(framed(Hello(1, "attacker")))
        await heard(reader)
        return reader, writer

    async def connections(self) -> None:
        """Open, send rubbish, drop: from an address of its own."""
        one = socket.socket()
        one.setblocking(False)
        one.bind((OWN, 0))
        try:
            await asyncio.get_running_loop().sock_connect(one, ("127.0.0.1", self.port))
            await asyncio.get_running_loop().sock_sendall(one, b"\x16\x03\x01\xff\xff" + b"A" * 90)
        finally:
            one.close()

    async def handshakes(self) -> None:
        """Whole handshakes, each of which displaces the one before."""
        _, writer = await self.call()
        writer.transport.abort()

    async def sign_ins(self) -> None:
        """A password after the other, each for another user."""
        reader, writer = await self.greet()
        for number in range(1_000):
            writer.write(framed(SignIn(f"user{number}", self.password)))
            await heard(reader)

    async def requests(self) -> None:
        """A clerk's counter asks and asks, always as much at once as it is let."""
        reader, writer = await self.greet()
        writer.write(framed(SignIn(self.user, self.password)))
        await heard(reader)
        body = Raw(msgpack.encode(["name", "Consumer", 50]))
        for number in range(1, AT_ONCE + 1):
            writer.write(framed(Request(number, "consumers.find", None, body)))
        for number in range(AT_ONCE + 1, 2**31):
            await heard(reader)
            writer.write(framed(Request(number, "consumers.find", None, body)))
            await writer.drain()

    async def slow(self) -> None:
        """A frame is begun and drips, a byte at a time."""
        _, writer = await self.call()
        writer.write((60_000).to_bytes(4, "big"))
        while not writer.is_closing():
            writer.write(b"\x91")
            await asyncio.sleep(DRIP_S)

    async def oversized(self) -> None:
        """A frame of four gigabytes is begun, again and again."""
        _, writer = await self.call()
        writer.write(b"\xff" * 4 + b"A" * 16_000)
        await writer.drain()
        writer.transport.abort()

    async def deaf(self) -> None:
        """Requests without end, and no answer is ever read."""
        reader, writer = await self.greet()
        reader._transport.pause_reading()  # type: ignore[attr-defined]  # noqa: SLF001 - it has no other door
        body = Raw(msgpack.encode([]))
        some = [framed(Request(n, "no.such_operation", None, body)) for n in range(1, 1 + TOGETHER)]
        while True:
            writer.write(b"".join(some))
            await writer.drain()
            await asyncio.sleep(0)  # an order must be heard even where nothing is ever full


async def heard(reader: Reader) -> bytes:
    """Give the next frame's payload."""
    size = int.from_bytes(await reader.readexactly(4), "big")
    return await reader.readexactly(size)


async def for_ever(attack: Callable[[], Awaitable[None]]) -> None:
    """Attack again whenever an attack is cut off."""
    while True:
        with contextlib.suppress(OSError, EOFError, ssl.SSLError):
            await attack()
        await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def under_way(attacker: Attacker, kind: str) -> AsyncIterator[None]:
    """Attack so, until the end."""
    attack: Callable[[], Awaitable[None]] = getattr(attacker, kind)
    side_by_side = 1 if kind in ALONE else SIDE_BY_SIDE
    tasks = [asyncio.ensure_future(for_ever(attack)) for _ in range(side_by_side)]
    try:
        await asyncio.sleep(BEGUN_S)
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        attacker.hang_up()


async def main(port: str, *papers: str) -> None:
    """Attack as is ordered, until the orders end."""
    attacker = Attacker(int(port), *papers)
    orders = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(orders), sys.stdin
    )
    while kind := (await orders.readline()).decode().strip():
        async with under_way(attacker, kind):
            print("at it", flush=True)
            await orders.readline()
        print("calm", flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
