"""Who is slow on purpose: says nothing, drips a frame, or never reads. Each loses its own place in
time, and its neighbours are served meanwhile. The deadlines are shortened, the server is whole.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from mpowerd import server
from protocols.codec import encode
from protocols.frames import frame
from protocols.messages import MAX_FRAME_BYTES
from protocols.shell.stream import Limits
from tests.open_house import CLUSTER, OpenHouse, house_for_fixture
from tests.postgres_nodes import on_reactor
from tests.terminals import DOWN, Terminal

SHORT = Limits(hello_s=1.0, frame_s=0.6, unread_bytes=16 * 1024)
DUES = ("consumers.dues", ["1000000001"])


@pytest.fixture(scope="module")
def house() -> Iterator[OpenHouse]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(server, "LIMITS", SHORT)
        yield from house_for_fixture()


@on_reactor
async def test_who_proves_itself_and_then_says_nothing_is_gone_in_time(house: OpenHouse) -> None:
    async with house.terminal("C001", "asha") as neighbour:
        silent = Terminal()
        await silent.call(house.port, house.papers.give("counter", "C002"), CLUSTER)
        begun = time.monotonic()
        while await silent.hear() != DOWN:
            assert time.monotonic() - begun < 5.0
        assert time.monotonic() - begun < 5.0
        assert await neighbour.code(*DUES) == ""


@on_reactor
async def test_a_frame_that_drips_is_cut_off_at_its_deadline_and_neighbours_are_served(
    house: OpenHouse,
) -> None:
    async with house.terminal("C001", "asha") as neighbour, house.terminal("C003") as slow:
        begun, down = time.monotonic(), False
        slow.raw((1_000).to_bytes(4, "big"))
        for _ in range(100):
            if slow.stream is None:
                down = True
                break
            slow.raw(b"\x91")
            assert await neighbour.code(*DUES) == ""
            await asyncio.sleep(0.05)
        assert down
        assert time.monotonic() - begun < 5.0


@on_reactor
async def test_a_peer_that_never_reads_is_cut_off_and_costs_no_more_than_its_cap(
    house: OpenHouse,
) -> None:
    async with house.terminal("C001", "asha") as neighbour:
        deaf = Terminal()
        await deaf.call(house.port, house.papers.give("counter", "C004"), CLUSTER)
        await deaf.welcome()
        assert deaf.stream is not None
        tcp: Any = deaf.stream.transport.transport  # type: ignore[union-attr]
        tcp.getHandle().setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_304)
        tcp.pauseProducing()
        for _ in range(200):
            if "counter/C004" not in house.house.hall.seats():
                break
            asked = [deaf.request("no.such_operation", []) for _ in range(1_000)]
            deaf.raw(b"".join(frame(encode(one), MAX_FRAME_BYTES) for one in asked))
            assert await neighbour.code(*DUES) == ""
            await asyncio.sleep(0.01)
        assert "counter/C004" not in house.house.hall.seats()
        tcp.abortConnection()
