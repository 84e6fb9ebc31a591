"""One counter's conversation over a plain socket, step by step, every byte on the line counted:
TLS records and all, TCP/IP headers not.

Blocking on purpose: it measures, nobody else waits. This file must not know what is measured.
"""

from __future__ import annotations

import os
import socket
import ssl
from pathlib import Path
from typing import Final, TypeVar

from msgspec import Raw, Struct

from bench.board import counter
from bench.load import context
from protocols.codec import encode, encode_body, from_server
from protocols.frames import Frames, frame
from protocols.messages import (
    MAX_FRAME_BYTES,
    PROTOCOL_VERSION,
    FromServer,
    Hello,
    Message,
    Notice,
    Request,
    Session,
    SignIn,
    Welcome,
)
from protocols.operation import Operation
from protocols.values import RequestKey

READ_BYTES: Final = 65_536
PATIENCE_S: Final = 20.0
Expected = TypeVar("Expected", bound=Message)


class Wire:
    """One connection. ``sent`` and ``received`` count bytes."""

    def __init__(self, pki: Path, number: int, host: str, port: int) -> None:
        self.sent = self.received = 0
        self._seq = 0
        self._client = os.urandom(16)
        self._frames = Frames(MAX_FRAME_BYTES)
        self._came: list[bytes] = []
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context(pki, "counter", counter(number)).wrap_bio(self._in, self._out)
        self._socket = socket.create_connection((host, port), PATIENCE_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while not self._shaken():
            self._read()

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def greet(self) -> Welcome:
        """Say Hello."""
        self.say(Hello(PROTOCOL_VERSION, "bench"))
        return self.expect(Welcome)

    def sign_in(self, user: str, password: str) -> Session:
        """Sign a clerk in."""
        self.say(SignIn(user, password))
        return self.expect(Session)

    def request(self, operation: Operation, body: Struct) -> Request:
        """Make the next request of this terminal."""
        self._seq += 1
        key = RequestKey(self._client, self._seq)
        return Request(self._seq, operation.name, key, Raw(encode_body(operation, body)))

    def say(self, message: Message) -> None:
        """Send one message."""
        self._tls.write(frame(encode(message), MAX_FRAME_BYTES))
        self._flush()

    def hear(self) -> FromServer:
        """Wait for the next message; notices are not what anybody waits for."""
        while True:
            while not self._came:
                try:
                    self._came = self._frames.feed(self._tls.read(READ_BYTES))
                except ssl.SSLWantReadError:
                    self._read()
            message = from_server(self._came.pop(0))
            if not isinstance(message, Notice):
                return message

    def expect(self, kind: type[Expected]) -> Expected:
        """Wait for a message of that kind; TypeError for another."""
        message = self.hear()
        if not isinstance(message, kind):
            raise TypeError(f"{message} instead of a {kind.__name__}")
        return message

    def _shaken(self) -> bool:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        finally:
            self._flush()
        return True

    def _flush(self) -> None:
        data = self._out.read()
        if data:
            self._socket.sendall(data)
            self.sent += len(data)

    def _read(self) -> None:
        data = self._socket.recv(READ_BYTES)
        if not data:
            raise ConnectionError("the server closed the connection")
        self.received += len(data)
        self._in.write(data)
