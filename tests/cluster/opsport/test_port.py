"""The ops port over a real socket, on a real node in one process: codes, figures, events, and bad
manners.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from twisted.internet import reactor

from cluster.arbiter.memory import MemoryArbiter
from cluster.events import Asked
from cluster.node import ClusterNode
from cluster.opsport import web
from cluster.opsport.port import LISTENERS, OpsPort
from cluster.postgres.memory import MemoryControl, MemoryNetwork
from cluster.states import State
from config.settings import split_address
from protocols.runbook import RUNBOOK
from protocols.shell.clock import boot_seconds
from tests.cluster.board import Board
from tests.postgres_nodes import on_reactor

SAFE = ("cache-control", "content-security-policy", "x-content-type-options", "x-frame-options")
LIMIT_S = 10.0


class Answer:
    """One answer as it came over the socket."""

    def __init__(self, raw: bytes) -> None:
        head, _, self.body = raw.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        self.code = int(first.split()[1])
        self.headers = {
            name.lower(): value.strip() for name, _, value in (one.partition(":") for one in lines)
        }

    @property
    def said(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


class Here:
    """A node with its ops port, and ways to speak with it."""

    def __init__(self, node: ClusterNode, port: OpsPort) -> None:
        self.node, self.port = node, port

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port.port)

    async def send(self, raw: bytes) -> Answer:
        reader, writer = await self.open()
        writer.write(raw)
        async with asyncio.timeout(LIMIT_S):
            answer = Answer(await reader.read())
        writer.close()
        return answer

    async def get(self, path: str, method: str = "GET", headers: str = "") -> Answer:
        return await self.send(
            f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n".encode()
        )

    async def codes(self) -> dict[str, int]:
        return {path: (await self.get(path)).code for path in ("/health", "/primary", "/ready")}

    async def listen(
        self, last_event_id: str = ""
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await self.open()
        said = f"Last-Event-ID: {last_event_id}\r\n" if last_event_id else ""
        writer.write(f"GET /events HTTP/1.1\r\nHost: localhost\r\n{said}\r\n".encode())
        async with asyncio.timeout(LIMIT_S):
            await reader.readuntil(b"\r\n\r\n")
        return reader, writer


async def until(met: Callable[[], bool]) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not met():
            await asyncio.sleep(0.005)


@asynccontextmanager
async def opened(folder: Path, doors: Callable[[], bool] = lambda: True) -> AsyncIterator[Here]:
    """A primary that is alone, open, with its ops port."""
    board = Board(folder)
    settings = board.nodes["a"]
    control = MemoryControl("a", MemoryNetwork(), *split_address(settings.here.postgres))
    arbiter = MemoryArbiter(("a", "b"), boot_seconds)
    node = ClusterNode(settings, control, arbiter, lambda _standing: None)
    assert settings.ops.listen is not None
    port = OpsPort(node, settings.ops.listen, doors=doors)
    port.start(reactor)
    try:
        await node.start(reactor)
        yield Here(node, port)
    finally:
        await node.stop("the test is over")
        port.close()


async def bootstrapped(here: Here) -> None:
    await until(lambda: here.node.mind.fresh)
    here.node.take(Asked("bootstrap"))
    await until(lambda: here.node.standing.open)


@on_reactor
async def test_the_codes_follow_the_node(tmp_path: Path) -> None:
    doors = False
    async with opened(tmp_path, lambda: doors) as here:
        assert await here.codes() == {"/health": 200, "/primary": 503, "/ready": 503}
        assert (await here.get("/standby")).code == 503
        await bootstrapped(here)
        assert await here.codes() == {"/health": 200, "/primary": 200, "/ready": 503}
        doors = True
        assert await here.codes() == {"/health": 200, "/primary": 200, "/ready": 200}
        said = (await here.get("/primary")).said
        assert (said["ok"], said["node"], said["open"]) == (True, "a", True)
        here.node.fail("a test", ZeroDivisionError("planted"))
        assert await here.codes() == {"/health": 503, "/primary": 503, "/ready": 503}
        assert "planted" in (await here.get("/health")).said["why"]


@on_reactor
async def test_every_answer_has_the_same_headers_and_head_has_no_body(tmp_path: Path) -> None:
    async with opened(tmp_path) as here:
        asked = [
            await here.get("/health"),
            await here.get("/primary"),
            await here.get("/metrics"),
            await here.get("/no"),
            await here.get("/health", "POST"),
            await here.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n"),
            await here.get("/health", headers="Content-Length: 5\r\n"),
        ]
        assert [one.code for one in asked] == [200, 503, 200, 404, 405, 400, 413]
        for one in asked:
            assert not set(SAFE) - set(one.headers), one.headers
            assert one.headers["connection"] == "close"
            assert "server" not in one.headers
        assert asked[4].headers["allow"] == "GET, HEAD"
        for refused in asked[3:]:
            assert refused.said["sentence"].endswith(".")
        head = await here.get("/health", "HEAD")
        assert (head.code, head.body) == (200, b"")
        assert int(head.headers["content-length"]) == len(asked[0].body)


@on_reactor
async def test_figures_are_prometheus_text_and_name_every_state_and_alarm(tmp_path: Path) -> None:
    async with opened(tmp_path) as here:
        await bootstrapped(here)
        await until(lambda: "one-copy" in here.node.chronicle.alarms)
        text = (await here.get("/metrics")).body.decode()
        families = {one.name: one for one in text_string_to_metric_families(text)}
        states = {one.labels["state"]: one.value for one in families["mpower_state"].samples}
        assert set(states) == set(State)
        assert [name for name, value in states.items() if value] == [here.node.standing.state]
        alarms = {one.labels["alarm"]: one.value for one in families["mpower_alarm"].samples}
        assert set(alarms) == set(RUNBOOK)
        assert alarms["one-copy"] == 1
        for name in ("gate_open", "term", "epoch", "copies", "loop_lag_seconds", "takeovers"):
            assert f"mpower_{name}" in families, name
        assert "process_cpu_seconds" in families


@on_reactor
async def test_events_come_as_they_happen_and_go_on_from_the_last_id(tmp_path: Path) -> None:
    async with opened(tmp_path) as here:
        reader, writer = await here.listen()
        async with asyncio.timeout(LIMIT_S):
            first = await reader.readuntil(b"\n\n")
            assert b"event: now" in first
            await bootstrapped(here)
            heard = b""
            while b"event: gate" not in heard:
                heard += await reader.readuntil(b"\n\n")
        writer.close()
        last = heard.decode().split("id: ")[1].split("\n")[0]
        again, writer = await here.listen(last)
        async with asyncio.timeout(LIMIT_S):
            went_on = b""
            while b"event: gate" not in went_on:
                went_on += await again.readuntil(b"\n\n")
        writer.close()
        assert b"event: now" not in went_on
        await until(lambda: not here.port._listeners)


@on_reactor
async def test_listeners_are_bounded(tmp_path: Path) -> None:
    async with opened(tmp_path) as here:
        lines = [await here.listen() for _ in range(LISTENERS)]
        refused = await here.get("/events")
        assert (refused.code, "listeners" in refused.said["sentence"]) == (503, True)
        assert (await here.get("/health")).code == 200
        for _, writer in lines:
            writer.close()
        await until(lambda: not here.port._listeners)
        _, writer = await here.listen()
        writer.close()


@on_reactor
async def test_heads_are_small_and_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "HEAD_S", 0.2)
    async with opened(tmp_path) as here:
        long = "X-Long: " + "x" * 2000 + "\r\n"
        assert (await here.get("/health", headers=long * 5)).code == 400
        assert (await here.send(b"GET /" + b"x" * 5000 + b" HTTP/1.1\r\n\r\n")).code == 400
        reader, writer = await here.open()
        began_s = boot_seconds()
        async with asyncio.timeout(LIMIT_S):
            for _ in range(3):
                writer.write(b"GET")
                await asyncio.sleep(0.05)
            with suppress(ConnectionResetError):
                assert await reader.read() == b""
        assert boot_seconds() - began_s < 2.0
        writer.close()


@on_reactor
async def test_a_flood_of_silent_connections_does_not_keep_a_probe_out(tmp_path: Path) -> None:
    async with opened(tmp_path) as here:
        silent = [await here.open() for _ in range(web.CONNECTIONS + 10)]
        assert (await here.get("/health")).code == 200
        for _, writer in silent:
            writer.close()


@on_reactor
async def test_only_names_of_this_machine_are_answered_on_loopback(tmp_path: Path) -> None:
    async with opened(tmp_path) as here:
        for host, code in (
            ("localhost", 200),
            ("localhost:7510", 200),
            ("127.0.0.1:1", 200),
            ("[::1]:7510", 200),
            ("evil.example", 421),
            ("10.0.0.1", 421),
        ):
            said = await here.send(f"GET /health HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            assert said.code == code, host


@on_reactor
async def test_a_taken_port_is_an_alarm_and_the_node_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cluster.opsport.port.AGAIN_S", 0.05)
    async with opened(tmp_path) as here:
        second = OpsPort(here.node, f"127.0.0.1:{here.port.port}")
        second.start(reactor)
        assert "cannot be opened" in here.node.chronicle.alarms["no-ops-port"]
        await bootstrapped(here)
        here.port.close()
        await until(lambda: second.port != 0)
        assert "no-ops-port" not in here.node.chronicle.alarms
        second.close()
