"""Two whole nodes in one process: the real shell, real TLS links; PostgreSQL and arbiter from
memory.

What real processes show slowly is shown here at once: bootstrap, sync, a postmaster that dies, a
daemon that leaves, and what becomes of an error of ours.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from twisted.internet import reactor

from clients.ops.asking import Asking
from clients.ops.seen import Seen, sorted_out
from cluster import events as ev
from cluster.arbiter.memory import MemoryArbiter
from cluster.node import ClusterNode
from cluster.postgres.memory import MemoryControl, MemoryNetwork
from cluster.standing import Standing
from cluster.states import State
from config.settings import split_address
from protocols.shell.clock import boot_seconds
from tests.cluster.board import Board
from tests.postgres_nodes import on_reactor

WAIT_S = 15.0


class Pair:
    """Both nodes; every standing they published, in order."""

    def __init__(self, folder: Path, *, strict: bool = False) -> None:
        self.board = Board(folder, strict=strict)
        self.network = MemoryNetwork()
        self.arbiter = MemoryArbiter(("a", "b"), boot_seconds)
        self.controls: dict[str, MemoryControl] = {}
        self.nodes: dict[str, ClusterNode] = {}
        self.stood: list[Standing] = []
        self.ended: dict[str, str] = {}
        tls = self.board.tls("ops")
        self.asking = Asking(reactor, "demo", tls)

    async def start(self, name: str) -> ClusterNode:
        settings = self.board.nodes[name]
        if name not in self.controls:
            address = split_address(settings.here.postgres)
            self.controls[name] = MemoryControl(name, self.network, *address)
        node = ClusterNode(settings, self.controls[name], self.arbiter, self.stood.append)
        node.on_end = lambda why: self.ended.update({name: why})
        self.nodes[name] = node
        await node.start(reactor)
        return node

    async def ask(self, name: str, verb: str, **arguments: str) -> Any:
        address = self.board.nodes[name].here.peer[0]
        heard = await self.asking.one(address, verb, arguments, WAIT_S)
        assert heard.answer is not None, heard.trouble
        return heard.answer

    async def look(self) -> Seen:
        peers = self.board.client.peers
        heard = await self.asking.every(peers, "status", {}, 1.0)
        return sorted_out(heard, len(peers), 0.0)

    async def until(self, what: str, met: Callable[[], bool]) -> None:
        async with asyncio.timeout(WAIT_S):
            while not met():
                await asyncio.sleep(0.005)

    def state(self, name: str) -> State:
        return self.nodes[name].mind.state

    def in_sync(self, primary: str, standby: str) -> bool:
        """Both say so, and the primary has heard that its standby does."""
        states = (self.state(primary), self.state(standby))
        beat = self.nodes[primary].mind.beat
        heard = beat is not None and beat.state == State.STANDBY_SYNC
        return heard and states == (State.PRIMARY_SYNC, State.STANDBY_SYNC)

    async def made(self) -> None:
        """A cluster with a as primary and b in sync."""
        await self.start("a")
        await self.start("b")
        await self.until("both read", lambda: self.nodes["a"].links.heard_ms() >= 0)
        answer = await self.ask("a", "bootstrap", admin="asha", hash="argon")
        assert answer.ok, answer.sentence
        await self.until("in sync", lambda: self.in_sync("a", "b"))


@asynccontextmanager
async def pair_of(folder: Path, *, strict: bool = False) -> AsyncIterator[Pair]:
    pair = Pair(folder, strict=strict)
    try:
        yield pair
    finally:
        for name, node in pair.nodes.items():
            if name not in pair.ended:
                await node.stop("the test is over")


@on_reactor
async def test_bootstrap_makes_a_pair_and_calls_the_house(tmp_path: Path) -> None:
    async with pair_of(tmp_path) as pair:
        told: list[tuple[bool, Mapping[str, str]]] = []
        a = await pair.start("a")

        async def bootstrapped(arguments: Mapping[str, str]) -> None:
            told.append((a.standing.open, arguments))

        a.on_bootstrap = bootstrapped
        await pair.start("b")
        answer = await pair.ask("a", "bootstrap", admin="asha", hash="argon")
        assert answer.ok, answer.sentence
        assert told == [(True, {"admin": "asha", "hash": "argon"})]
        await pair.until("in sync", lambda: pair.in_sync("a", "b"))
        again = await pair.ask("b", "bootstrap", admin="mala", hash="argon")
        assert (again.ok, "not possible" in again.sentence) == (False, True)
        seen = await pair.look()
        assert {one.node: one.role for one in seen.nodes} == {"a": "primary", "b": "standby"}
        assert "copies: two" in seen.table()
        links = [node.links for node in pair.nodes.values()]
        await pair.until(
            "all links", lambda: all("|" in one.beats for both in links for one in both.views())
        )
        seen = await pair.look()
        strips = [link.beats for one in seen.nodes for link in one.links]
        assert all("|" in strip for strip in strips), strips
        assert all("|" in one.arbiter_beats for one in seen.nodes)
        assert [one.countdown for one in seen.nodes] == [None, None]


@on_reactor
async def test_a_dead_postmaster_hands_over_within_a_beat(tmp_path: Path) -> None:
    async with pair_of(tmp_path) as pair:
        await pair.made()
        pair.stood.clear()
        pair.controls["a"].crash()
        closed = next(one for one in pair.stood if one.node == "a")
        assert not closed.open, "the gate is shut before anybody can ask"
        await pair.until("b serves", lambda: pair.nodes["b"].standing.open)
        opened = [(one.node, one.term) for one in pair.stood if one.open]
        assert opened[-1] == ("b", 2)
        await pair.until("a is back", lambda: pair.in_sync("b", "a"))


@on_reactor
async def test_a_node_that_leaves_hands_over_and_stops_its_server(tmp_path: Path) -> None:
    async with pair_of(tmp_path) as pair:
        await pair.made()
        began_s = boot_seconds()
        await pair.nodes.pop("a").stop()
        assert boot_seconds() - began_s < 5.0
        assert not pair.controls["a"].running
        await pair.until("b serves", lambda: pair.nodes["b"].standing.open)
        assert "handover" not in pair.nodes["b"].standing.reason
        await pair.start("a")
        await pair.until("a is back", lambda: pair.in_sync("b", "a"))


@on_reactor
async def test_an_error_of_ours_shuts_the_gate_hands_over_and_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with pair_of(tmp_path) as pair:
        await pair.made()
        node = pair.nodes["a"]

        def broken(*_: object) -> Any:
            raise ZeroDivisionError("planted")

        monkeypatch.setattr(node._thinking, "_step", broken)
        node.take(ev.ReadFailed())
        assert not node.standing.open
        assert node.standing.state == State.FAULT
        await pair.until("b serves", lambda: pair.nodes["b"].standing.open)
        await pair.until("a has ended", lambda: "a" in pair.ended)
        assert "planted" in pair.ended["a"]
        assert not pair.controls["a"].running
        assert any("FAULT" in line.text for line in node.chronicle.lines)


@on_reactor
async def test_unknown_verbs_are_refused_by_name(tmp_path: Path) -> None:
    async with pair_of(tmp_path) as pair:
        await pair.start("a")
        answer = await pair.ask("a", "explode")
        assert (answer.ok, answer.code) == (False, "unknown-verb")
        assert "'explode'" in answer.sentence


@on_reactor
async def test_a_lost_arbiter_is_an_alarm_and_nothing_else(tmp_path: Path) -> None:
    async with pair_of(tmp_path) as pair:
        await pair.made()
        pair.arbiter.cut = True
        alarms = pair.nodes["a"].chronicle.alarms
        await pair.until("alarm", lambda: "no-arbiter" in alarms)
        assert pair.in_sync("a", "b")
        assert pair.nodes["a"].standing.open
        pair.arbiter.cut = False
        await pair.until("no alarm", lambda: "no-arbiter" not in alarms)


@on_reactor
async def test_strict_serves_on_two_copies_or_not_at_all(tmp_path: Path) -> None:
    async with pair_of(tmp_path, strict=True) as pair:
        await pair.made()
        assert all(one.copies == 2 for one in pair.stood if one.open)
        await pair.nodes.pop("b").stop()
        await pair.until("closed or waiting", lambda: pair.state("a") != State.PRIMARY_SYNC)
        assert not pair.nodes["a"].standing.alone
        await pair.start("b")
        await pair.until("in sync", lambda: pair.in_sync("a", "b"))
        assert pair.nodes["a"].standing.open
        assert not any(one.alone for one in pair.stood)
