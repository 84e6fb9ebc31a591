"""Links, door and sessions over real TLS: beats both ways, who is let in, and what is refused by
name.
"""

import asyncio
import datetime as dt
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from twisted.internet import reactor
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.protocol import Factory

from cluster.annals import Annals
from cluster.door import Door
from cluster.exchange import Exchange
from cluster.link import Links
from cluster.session import Stage
from cluster.timers import Timers
from cluster.verbs import Verbs
from config.registry import Registry
from config.settings import NodeSettings, split_address
from protocols.peer import (
    PEER_VERSION,
    Answer,
    AnyPeerMessage,
    Ask,
    Chapter,
    NodeBeat,
    PeerHello,
    PeerMessage,
)
from protocols.shell.clock import BootClock
from protocols.shell.stream import Limits, Stream
from protocols.shell.tls import ALPN_PEER, Connections, TlsFiles, client_side, server_side
from tests.cluster.board import Board
from tests.cluster.test_annals import record
from tests.postgres_nodes import on_reactor

WAIT_S = 5.0


def a_beat(node: str, counter: int) -> NodeBeat:
    return NodeBeat(
        node=node, boot="1", counter=counter, incarnation=1, epoch=1, term=1, state="READING"
    )


class Side:
    """One node's links and door, without the node."""

    def __init__(self, settings: NodeSettings, clock: BootClock) -> None:
        self.settings = settings
        self.heard: list[tuple[int, NodeBeat]] = []
        self.calls = settings.node < settings.peer.name
        tls = settings.tls
        self.files = TlsFiles(tls.ca, tls.certificate, tls.key, tls.revoked)
        cluster = settings.cluster.name
        self.links = Links(
            cluster=cluster,
            me=settings.node,
            peer=settings.peer.name,
            addresses=(settings.peer if self.calls else settings.here).peer,
            heard=lambda link, beat: self.heard.append((link, beat)),
            clock=clock,
            timers=Timers(),
        )
        self.door = Door(
            cluster,
            {"node": self.links, "ops": Verbs(lambda: {"node": settings.node})},
            server_side(self.files, cluster, ("node", "ops", "counter"), ALPN_PEER),
            clock,
        )

    def start(self) -> None:
        self.door.listen(reactor, self.settings.here.peer)
        if self.calls:
            calling = client_side(self.files, self.settings.cluster.name, ["node"], ALPN_PEER)
            self.links.call(reactor, calling, 0.05)

    @property
    def up(self) -> int:
        return sum(view.open for view in self.links.views())

    def close(self) -> None:
        self.links.close()
        self.door.close()


class Sides:
    def __init__(self, folder: Path) -> None:
        self.board = Board(folder)
        self.clock = BootClock()
        self.a, self.b = (Side(self.board.nodes[name], self.clock) for name in "ab")

    async def until(self, met: Callable[[], bool]) -> None:
        async with asyncio.timeout(WAIT_S):
            while not met():
                await asyncio.sleep(0.005)


@asynccontextmanager
async def sides_of(folder: Path) -> AsyncIterator[Sides]:
    sides = Sides(folder)
    sides.a.start()
    sides.b.start()
    try:
        await sides.until(lambda: sides.a.up == sides.b.up == 2)
        yield sides
    finally:
        sides.a.close()
        sides.b.close()


class Stranger:
    """Says to a peer port whatever a test wants, and keeps what it hears."""

    def __init__(self) -> None:
        self.heard: list[PeerMessage] = []
        self.up: asyncio.Future[Stream] = asyncio.get_running_loop().create_future()
        self.down: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def call(self, address: str, tls: Connections, clock: BootClock) -> "Stranger":
        host, port = split_address(address)
        endpoint = wrapClientTLS(tls, HostnameEndpoint(reactor, host.encode(), port))
        self.stream = Stream(self, clock, ALPN_PEER, Limits(frame_bytes=1 << 20, hello_s=0.0))
        await endpoint.connect(Factory.forProtocol(lambda: self.stream)).asFuture(
            asyncio.get_running_loop()
        )
        ends: set[asyncio.Future[Any]] = {self.up, self.down}
        await asyncio.wait(ends, timeout=WAIT_S, return_when="FIRST_COMPLETED")
        return self

    def say(self, message: PeerMessage) -> None:
        self.stream.send(msgspec.msgpack.encode(message))

    def stream_up(self, stream: Stream) -> None:
        self.up.set_result(stream)

    def frame_came(self, stream: Stream, payload: bytes) -> None:
        self.heard.append(msgspec.msgpack.decode(payload, type=AnyPeerMessage))

    def stream_broken(self, stream: Stream, wrong: Exception) -> None:
        stream.abort(str(wrong))

    def stream_late(self, stream: Stream, what: str) -> None:
        stream.abort(what)

    def stream_down(self, stream: Stream, reason: str) -> None:
        self.down.set_result(reason)

    async def refusal(self) -> Answer:
        """The refusal that ends the connection."""
        async with asyncio.timeout(WAIT_S):
            while not self.heard or isinstance(self.heard[-1], PeerHello):
                await asyncio.sleep(0.005)
        last = self.heard[-1]
        assert isinstance(last, Answer)
        assert not last.ok
        self.stream.abort("heard")
        await asyncio.wait_for(self.down, WAIT_S)
        return last


@pytest.mark.parametrize("lost", ["a", "b"])
@on_reactor
async def test_a_revoked_node_loses_its_live_links_whoever_called(
    tmp_path: Path, lost: str
) -> None:
    """A calls, b answers: the other one of the two cuts it off, and it does not come back."""
    async with sides_of(tmp_path) as sides:
        book, at = Registry(tmp_path / "board"), dt.datetime.now(dt.UTC)
        gone = [one for one in book.listed(at) if (one.kind, one.name) == ("node", lost)]
        book.revoke(gone, "key-compromise", at)
        await sides.until(lambda: sides.a.up == sides.b.up == 0)
        await asyncio.sleep(0.3)
        assert sides.a.up == sides.b.up == 0


@on_reactor
async def test_beats_travel_both_ways_on_every_link(tmp_path: Path) -> None:
    async with sides_of(tmp_path) as sides:
        sides.a.links.send(a_beat("a", 1))
        sides.b.links.send(a_beat("b", 7))
        await sides.until(lambda: len(sides.a.heard) == len(sides.b.heard) == 2)
        assert sorted(sides.b.heard) == [(0, a_beat("a", 1)), (1, a_beat("a", 1))]
        assert sorted(sides.a.heard) == [(0, a_beat("b", 7)), (1, a_beat("b", 7))]
        assert 0 <= sides.a.links.heard_ms() < 1000


@on_reactor
async def test_what_one_was_not_there_to_see_it_learns_when_a_link_comes_up(tmp_path: Path) -> None:
    sides = Sides(tmp_path)
    books = {}
    for side in (sides.a, sides.b):
        name = side.settings.node
        book = books[name] = Annals(tmp_path / name)
        (tmp_path / name).mkdir()
        book.add(record(1, "bootstrap"))
        exchange = Exchange(book)
        side.links.on_up, side.links.on_chapter = exchange.link_up, exchange.heard
    books["a"].add(record(2))
    books["b"].add(record(3))
    sides.a.start()
    sides.b.start()
    try:
        await sides.until(lambda: all(len(one.told()) == 3 for one in books.values()))
        sides.a.links.renew("a test")
        await sides.until(lambda: sides.a.up == sides.b.up == 2)
    finally:
        sides.a.close()
        sides.b.close()
    for name in books:
        assert [one.epoch for one in Annals(tmp_path / name).told()] == [1, 2, 3]


@on_reactor
async def test_a_chapter_that_cannot_be_read_costs_nothing_but_itself(tmp_path: Path) -> None:
    async with sides_of(tmp_path) as sides:
        book = Annals(tmp_path)
        exchange = Exchange(book)
        sides.b.links.on_chapter = exchange.heard
        for link in sides.a.links.links:
            assert link.session is not None
            link.session.send(Chapter('[{"torn": '))
            link.session.send(a_beat("a", 7))
        await sides.until(lambda: len(sides.b.heard) == 2)
        assert sides.b.up == 2
        assert book.told() == []


@on_reactor
async def test_a_dropped_link_comes_back_by_itself(tmp_path: Path) -> None:
    async with sides_of(tmp_path) as sides:
        sides.b.links.renew("this process stood still")
        assert sides.b.up == 0
        await sides.until(lambda: sides.a.up == sides.b.up == 2)


@on_reactor
async def test_the_newest_connection_takes_the_link(tmp_path: Path) -> None:
    async with sides_of(tmp_path) as sides:
        old = sides.b.links.links[0].session
        assert old is not None
        newer = Links(
            cluster="demo",
            me="a",
            peer="b",
            addresses=sides.b.settings.here.peer[:1],
            heard=lambda *_: None,
            clock=sides.clock,
            timers=Timers(),
        )
        newer.call(reactor, client_side(sides.a.files, "demo", ["node"], ALPN_PEER), 60.0)
        await sides.until(lambda: sides.b.links.links[0].session not in {None, old})
        assert old.stage is Stage.CLOSED, "a half-open connection must not linger"
        newer.close()


@pytest.mark.parametrize(
    ("kind", "hello", "first", "code"),
    [
        ("ops", PeerHello(PEER_VERSION, "other"), None, "wrong-cluster"),
        ("ops", PeerHello(PEER_VERSION + 1, "demo"), None, "wrong-version"),
        ("ops", Ask(1, "status"), None, "bad-message"),
        ("ops", PeerHello(PEER_VERSION, "demo"), PeerHello(PEER_VERSION, "demo"), "bad-message"),
        ("ops", PeerHello(PEER_VERSION, "demo"), a_beat("a", 1), "bad-message"),
        ("node", PeerHello(PEER_VERSION, "demo"), a_beat("b", 1), "bad-message"),
        ("counter", PeerHello(PEER_VERSION, "demo"), None, "wrong-kind"),
    ],
)
@on_reactor
async def test_what_does_not_belong_is_refused_by_name(
    tmp_path: Path, kind: str, hello: PeerMessage, first: PeerMessage | None, code: str
) -> None:
    sides = Sides(tmp_path)
    sides.b.door.listen(reactor, sides.b.settings.here.peer)
    name = "a" if kind == "node" else None
    tls = sides.board.calling(kind, name)
    stranger = await Stranger().call(sides.b.settings.here.peer[0], tls, sides.clock)
    stranger.say(hello)
    if first is not None:
        stranger.say(first)
    refusal = await stranger.refusal()
    assert refusal.code == code
    assert refusal.sentence.endswith(".")
    sides.b.close()


@on_reactor
async def test_a_node_that_is_not_the_peer_is_refused(tmp_path: Path) -> None:
    sides = Sides(tmp_path)
    sides.b.door.listen(reactor, sides.b.settings.here.peer)
    tls = sides.board.calling("node", "b")
    stranger = await Stranger().call(sides.b.settings.here.peer[0], tls, sides.clock)
    stranger.say(PeerHello(PEER_VERSION, "demo"))
    refusal = await stranger.refusal()
    assert (refusal.code, refusal.sentence) == ("wrong-node", "Node b talks with node a only.")
    sides.b.close()


@on_reactor
async def test_what_is_no_message_and_no_frame_is_refused(tmp_path: Path) -> None:
    sides = Sides(tmp_path)
    sides.b.door.listen(reactor, sides.b.settings.here.peer)
    tls = sides.board.calling("ops")
    for payload, code in [(b"\xc1", "bad-message"), (b"x" * (300 * 1024), "bad-frame")]:
        stranger = await Stranger().call(sides.b.settings.here.peer[0], tls, sides.clock)
        stranger.stream.send(payload)
        assert (await stranger.refusal()).code == code
    sides.b.close()


@on_reactor
async def test_a_flood_of_connections_is_bounded_and_the_peer_gets_in_after(
    tmp_path: Path,
) -> None:
    sides = Sides(tmp_path)
    sides.b.door.listen(reactor, sides.b.settings.here.peer)
    host, port = split_address(sides.b.settings.here.peer[0])
    loop = asyncio.get_running_loop()
    flood = [socket.socket() for _ in range(40)]
    for one in flood:
        one.setblocking(False)
        await loop.sock_connect(one, (host, port))
    for one in flood[32:]:
        said = await asyncio.wait_for(loop.sock_recv(one, 1), WAIT_S)
        assert said == b"", "beyond the limit a connection is closed at once"
    for one in flood:
        one.close()
    sides.a.start()
    await sides.until(lambda: sides.b.up == 2)
    sides.a.close()
    sides.b.close()


@on_reactor
async def test_a_link_that_was_never_up_says_so(tmp_path: Path) -> None:
    side = Side(Board(tmp_path).nodes["a"], BootClock())
    assert side.links.heard_ms() == -1
    assert [view.trouble for view in side.links.views()] == ["not connected yet"] * 2
