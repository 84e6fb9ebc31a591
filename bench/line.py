"""A slow line between a terminal and its server: a relay on loopback that lets so many bytes a
second pass each way, as a leased line does.

It delays by the bits alone, not by distance, and each piece arrives when its last bit would. TCP/IP
headers are not counted. This file must not know what passes.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

PIECE_BYTES: Final = 512
"""Small against a handshake, so that both ends work while the line is busy."""


@contextmanager
def slow_line(host: str, port: int, bits_per_s: int) -> Iterator[int]:
    """Give the port of a relay for one connection to ``host:port``."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        threading.Thread(target=_relay, args=(door, host, port, bits_per_s), daemon=True).start()
        yield door.getsockname()[1]


def _relay(door: socket.socket, host: str, port: int, bits_per_s: int) -> None:
    near, _ = door.accept()
    far = socket.create_connection((host, port))
    for one in (near, far):
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for source, target in ((near, far), (far, near)):
        threading.Thread(target=_pass_on, args=(source, target, bits_per_s), daemon=True).start()


def _pass_on(source: socket.socket, target: socket.socket, bits_per_s: int) -> None:
    free_s = 0.0  # when the line has carried everything so far
    try:
        while data := source.recv(PIECE_BYTES):
            free_s = max(free_s, time.monotonic()) + len(data) * 8 / bits_per_s
            time.sleep(max(0.0, free_s - time.monotonic()))
            target.sendall(data)
    except OSError:
        pass  # one end is gone: so is the line
    finally:
        for one in (source, target):
            one.close()
