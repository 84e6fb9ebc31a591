"""Delay, where the kernel has no netem: packets go a detour through a queue of the kernel, and come
back from it late and out of order.

A thread holds each packet's number, never its bytes, and gives the verdict "accept" when its time
has come. The socket is made in the host's network and used from the rig's, so the host's processes
stay the host's own. Invariant: the rule goes first, then what is still held is let through, then
the socket closes; what would wait in a closed queue would be lost. This file must not know whom a
delay hurts.
"""

from __future__ import annotations

import ctypes
import heapq
import os
import socket
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Final

from tests.torture import network
from tests.torture.network import Way
from tests.torture.system import RigError

NETLINK_NETFILTER: Final = 12
CLONE_NEWNET: Final = 0x40000000
PACKET, VERDICT, CONFIG = (3 << 8 | number for number in (0, 1, 2))
"""Messages of the kernel's queue (nfnetlink_queue.h)."""
COMMAND, PARAMETERS, LONGEST = 1, 2, 3
BIND: Final = struct.pack(">BxH", 1, socket.AF_INET)
NUMBERS_ONLY: Final = struct.pack(">IB", 0, 1)
MOST_HELD: Final = 1 << 16
ACCEPT: Final = 1
REQUEST_ACK: Final = 5
GIVEN_UP: Final = 10.0


class Delay:
    """A way on which every packet is late by ``base_s``, and by up to a quarter more."""

    def __init__(self, way: Way, queue: int, base_s: float) -> None:
        self.held = 0
        self._way, self._queue, self._base_s = way, queue, base_s
        self._chance = Random(queue)
        self._waiting: list[tuple[float, int]] = []
        self._over = threading.Event()
        self._socket = _socket_in(way.target)
        for attribute in (
            _attribute(COMMAND, BIND),
            _attribute(PARAMETERS, NUMBERS_ONLY),
            _attribute(LONGEST, struct.pack(">I", MOST_HELD)),
        ):
            self._say(CONFIG, attribute, REQUEST_ACK)
            _agreed(self._socket.recv(1 << 16))
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()
        network.detour(way, queue)

    def end(self) -> None:
        """Let everything through that waits, and let the rest go straight."""
        network.straight(self._way, self._queue)
        self._over.set()
        self._thread.join(GIVEN_UP)
        self._socket.close()

    def _work(self) -> None:
        self._socket.settimeout(0.002)
        while not self._over.is_set():
            self._take()
            self._let_through(time.monotonic())
        self._take()
        self._let_through(float("inf"))

    def _take(self) -> None:
        try:
            said = self._socket.recv(1 << 20)
        except (TimeoutError, OSError):  # nothing came; or more than we kept up with, and is lost
            return
        now_s = time.monotonic()
        for number in _numbers(said):
            late_s = self._base_s * (1 + self._chance.random() / 4)
            heapq.heappush(self._waiting, (now_s + late_s, number))
            self.held += 1

    def _let_through(self, now_s: float) -> None:
        while self._waiting and self._waiting[0][0] <= now_s:
            _, number = heapq.heappop(self._waiting)
            self._say(VERDICT, _attribute(2, struct.pack(">II", ACCEPT, number)), 1)

    def _say(self, kind: int, attribute: bytes, flags: int) -> None:
        body = struct.pack(">BBH", 0, 0, self._queue) + attribute
        self._socket.send(struct.pack("=IHHII", 16 + len(body), kind, flags, 0, 0) + body)


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def _agreed(said: bytes) -> None:
    code = struct.unpack_from("=i", said, 16)[0]
    if code:
        raise RigError(f"The kernel refuses a queue for delayed packets: {os.strerror(-code)}.")


def _numbers(said: bytes) -> Iterator[int]:
    """The packets' numbers in what the kernel said: each in its message's first attribute."""
    at = 0
    while at + 16 <= len(said):
        size, kind = struct.unpack_from("=IH", said, at)
        if kind == PACKET:
            yield struct.unpack_from(">I", said, at + 24)[0]
        at += size + -size % 4


def _socket_in(host: str) -> socket.socket:
    """Make a socket that stands in a host's network; the thread that makes it comes back."""
    with (
        Path("/proc/thread-self/ns/net").open("rb") as here,
        Path("/run/netns", host).open("rb") as there,
    ):
        _enter(there.fileno())
        try:
            made = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
        finally:
            _enter(here.fileno())
    made.bind((0, 0))
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    return made


def _enter(network_of: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(network_of, CLONE_NEWNET):
        raise RigError(f"No way into a host's network: {os.strerror(ctypes.get_errno())}.")
