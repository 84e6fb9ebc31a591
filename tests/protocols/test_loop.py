"""The servers' loop, on real sockets: what a broken connection leaves behind harms nobody."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from protocols.shell.bridge import new_loop
from protocols.shell.loop import SteadyLoop

AT_ONCE = struct.pack("ii", 1, 0)
"""SO_LINGER: the close sends a reset."""
SOON_S = 0.05


def on_a_loop(work: Callable[[SteadyLoop], Coroutine[Any, Any, None]]) -> None:
    """Run it to its end on a server's loop, in a thread of its own: this one has a loop."""

    def run() -> None:
        loop = new_loop(fast=True)
        assert isinstance(loop, SteadyLoop)
        try:
            loop.run_until_complete(work(loop))
        finally:
            loop.close()

    with ThreadPoolExecutor(1) as threads:
        threads.submit(run).result(timeout=30)


def connected() -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as door:
        near = socket.create_connection(door.getsockname())
        far, _ = door.accept()
    far.setblocking(False)
    return near, far


async def broken(loop: SteadyLoop) -> socket.socket:
    """A watched socket whose other end was reset, after the loop has said so."""
    near, far = connected()
    heard: list[str] = []
    loop.add_reader(far, heard.append, "read")
    near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
    near.close()
    await asyncio.sleep(SOON_S)
    assert heard
    return far


def test_who_writes_to_a_broken_connection_is_called_and_reads_the_error() -> None:
    async def work(loop: SteadyLoop) -> None:
        with await broken(loop) as far:
            heard: list[str] = []
            loop.add_writer(far, heard.append, "write")
            await asyncio.sleep(SOON_S)
            assert heard[0] == "write"
            with pytest.raises(ConnectionResetError):
                far.recv(1)
            loop.remove_writer(far)

    on_a_loop(work)


def test_who_reads_from_it_again_is_called_again() -> None:
    async def work(loop: SteadyLoop) -> None:
        with await broken(loop) as far:
            heard: list[str] = []
            loop.add_reader(far, heard.append, "read")
            await asyncio.sleep(SOON_S)
            assert heard[0] == "read"
            loop.remove_reader(far)

    on_a_loop(work)
