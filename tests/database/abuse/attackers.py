"""An attacker in a process of its own, with a stolen certificate: ``python -m
tests.database.abuse.attackers KIND PORT CA CERT KEY``.

It attacks as hard as it can until it is killed, and prints "at it" once it has begun. It knows the
protocol's bytes, and nothing of the server.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import sys
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from msgspec import Raw, msgpack

from protocols.codec import encode
from protocols.frames import frame
from protocols.messages import MAX_FRAME_BYTES, Hello, Message, Request, SignIn

OWN = "127.0.0.66"
"""The address it comes from."""
SIDE_BY_SIDE = 4
"""As many connections are tried at once: more only compete with each other."""
Reader: TypeAlias = asyncio.StreamReader
Writer: TypeAlias = asyncio.StreamWriter
PASSWORD = "correct horse battery staple"


def framed(message: Message) -> bytes:
    return frame(encode(message), MAX_FRAME_BYTES)


class Attacker:
    """Where it attacks, and with which papers."""

    def __init__(self, port: int, ca: str, certificate: str, key: str) -> None:
        self.port = port
        self.tls = ssl.create_default_context(cafile=ca)
        self.tls.check_hostname = False
        self.tls.load_cert_chain(certificate, key)
        self.tls.set_alpn_protocols(["mpower/1"])

    async def call(self) -> tuple[Reader, Writer]:
        return await asyncio.open_connection(
            "127.0.0.1", self.port, ssl=self.tls, local_addr=(OWN, 0)
        )

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
            writer.write(framed(SignIn(f"user{number}", PASSWORD)))
            await heard(reader)

    async def requests(self) -> None:
        """A clerk's counter asks and asks, always as much at once as it is let."""
        reader, writer = await self.greet()
        writer.write(framed(SignIn("ravi", PASSWORD)))
        await heard(reader)
        body = Raw(msgpack.encode(["name", "Consumer", 50]))
        for number in range(1, 9):
            writer.write(framed(Request(number, "consumers.find", None, body)))
        for number in range(9, 2**31):
            await heard(reader)
            writer.write(framed(Request(number, "consumers.find", None, body)))
            await writer.drain()


async def heard(reader: Reader) -> bytes:
    size = int.from_bytes(await reader.readexactly(4), "big")
    return await reader.readexactly(size)


async def for_ever(attack: Callable[[], Awaitable[None]]) -> None:
    while True:
        with contextlib.suppress(OSError, EOFError, ssl.SSLError):
            await attack()
        await asyncio.sleep(0)


async def main(kind: str, port: str, *papers: str) -> None:
    attacker = Attacker(int(port), *papers)
    attack: Callable[[], Awaitable[None]] = getattr(attacker, kind)
    alone = kind in {"requests", "sign_ins"}  # one certificate has one seat
    tasks = [asyncio.ensure_future(for_ever(attack)) for _ in range(1 if alone else SIDE_BY_SIDE)]
    await asyncio.sleep(0.5)
    print("at it", flush=True)
    await asyncio.gather(*tasks)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
