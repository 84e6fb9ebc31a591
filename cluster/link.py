"""The links of a pair: one connection over every configured address, kept up by the node whose name
sorts first.

Link n is the n-th address of the node that is called. Invariants: one session a link, the newest
wins (a half-open connection must not keep a rebooted peer out); what is sent is always the newest
beat, never a queue of old ones; after a stall of this process every link is made anew, because what
waited in its buffers is no news. It carries beats (and, when it comes up, a chapter of history); it
must not know what they mean.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from msgspec import Struct, structs
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import Factory
from twisted.python.failure import Failure

from cluster.route import NEVER, Way, dead_links, looked
from cluster.session import Session, Stage
from cluster.strip import LATE, MISSED, Strip
from cluster.timers import Timers
from config.settings import split_address
from protocols.peer import Chapter, NodeBeat, PeerMessage
from protocols.shell.admitted import Recheck

CONNECT_S: Final = 1.0
"""A TCP connection and a handshake in one LAN take milliseconds; later the address is tried again.
"""


class LinkView(Struct, frozen=True):
    """One link for people: where, open or not, how long since it was heard (-1 never), why it is
    closed, its last beats (see ``cluster.strip``), and how many were ever late or missed.
    """

    address: str
    open: bool
    heard_ms: int
    trouble: str
    beats: str = ""
    late: int = 0
    missed: int = 0


class Link:
    """One address pair. ``heard_s``: when a beat last came over it (the node's clock; None
    never); ``good_s``: one that said that we are heard over it; ``host``: where it came from.
    """

    def __init__(self, index: int, address: str, strip: Strip) -> None:
        self.index = index
        self.strip = strip
        self.address = address
        self.session: Session | None = None
        self.heard_s: float | None = None
        self.good_s = NEVER
        self.host = ""
        self.trouble = "not connected yet"


class Links:
    """All links to the peer. ``heard`` gets (link, beat) of every beat that the peer itself sent;
    ``first`` is the link that replication begins on.
    """

    def __init__(
        self,
        *,
        cluster: str,
        me: str,
        peer: str,
        addresses: list[str],
        heard: Callable[[int, NodeBeat], None],
        clock: IReactorTime,
        timers: Timers,
        first: int = 0,
    ) -> None:
        self._cluster = cluster
        self._me = me
        self._peer = peer
        self._heard = heard
        self._clock = clock
        self._timers = timers
        self._way = Way(first)
        self._closed = False
        self.on_up: Callable[[Session], None] = _nothing
        """Told of each link that comes up; it may send a Chapter over it."""
        self.on_chapter: Callable[[Chapter], None] = _nothing
        """Given what the peer tells of its history."""
        self._callers: list[Caller] = []
        self.links = [
            Link(index, address, Strip(timers.beat_s, timers.suspect_s))
            for index, address in enumerate(addresses)
        ]

    def call(self, reactor: Any, tls: Any, retry_s: float) -> None:
        """Keep every link up from this side; the other side only answers."""
        for link in self.links:
            fresh = partial(Session, self._cluster, self, link.index)
            caller = Caller(reactor, self._clock, tls, link.address, fresh)
            self._callers.append(caller)
            caller.keep_up(retry_s)

    # ------------------------------------------------------------------ sending and state

    def send(self, beat: NodeBeat) -> None:
        """Send a beat over every open link, with how long ago the peer was heard over that one."""
        now_s = self._clock.seconds()
        for link in self.links:
            if link.session is not None:
                link.session.send(structs.replace(beat, heard_ms=_ago_ms(link, now_s)))

    @property
    def way(self) -> Way:
        """Which links are dead while another lives, and which should carry what else goes there."""
        now_s = self._clock.seconds()
        dead = dead_links([link.good_s for link in self.links], now_s, self._timers.beat_s)
        count, down_s = len(self.links), self._timers.takeover_s
        self._way = looked(self._way, dead, count, now_s, down_s)
        return self._way

    def renew(self, reason: str) -> None:
        """Drop every connection; they come back at once."""
        for link in self.links:
            if link.session is not None:
                link.session.abort(reason)

    def heard_ms(self) -> int:
        """How long ago the peer was heard on any link; -1 never."""
        times = [link.heard_s for link in self.links if link.heard_s is not None]
        return round((self._clock.seconds() - max(times)) * 1000) if times else -1

    def views(self) -> list[LinkView]:
        """The links for people."""
        now_s = self._clock.seconds()
        return [_view(link, now_s) for link in self.links]

    def close(self) -> None:
        """Close every link for good."""
        self._closed = True
        for caller in self._callers:
            caller.stop()
        self.renew("this node stops")

    # ------------------------------------------------------------------ what sessions say

    def session_open(self, session: Session) -> None:
        """A link is up. Only the peer's node may be on it, and an earlier session of it
        gives way.
        """
        if self._closed or session.who.kind != "node" or session.who.name != self._peer:
            session.refuse("wrong-node", f"Node {self._me} talks with node {self._peer} only.")
            return
        link = self.links[session.link]
        earlier, link.session = link.session, session
        link.trouble = ""
        link.host = split_address(session.address)[0]
        if earlier is not None:
            earlier.abort("a newer connection took this link")
        self.on_up(session)

    def message_came(self, session: Session, message: PeerMessage) -> None:
        """A beat, of which only the peer's own is believed; or a chapter of its history."""
        if isinstance(message, Chapter):
            self.on_chapter(message)
            return
        if not isinstance(message, NodeBeat) or message.node != self._peer:
            session.refuse(
                "bad-message", "Over a link between nodes only their beats and history travel."
            )
            return
        link = self.links[session.link]
        link.heard_s = self._clock.seconds()
        link.strip.beat(link.heard_s)
        if 0 <= message.heard_ms < self._timers.suspect_s * 1000:
            link.good_s = link.heard_s
        self._heard(session.link, message)

    def session_over(self, session: Session, reason: str) -> None:
        """A link is down; its caller will call again."""
        link = self.links[session.link]
        if link.session is session:
            link.session = None
        if link.session is None:
            link.trouble = reason


def _nothing(_: object) -> None:
    """Nobody keeps a history."""


def _ago_ms(link: Link, now_s: float) -> int:
    return -1 if link.heard_s is None else round((now_s - link.heard_s) * 1000)


def _view(link: Link, now_s: float) -> LinkView:
    is_open = link.session is not None
    return LinkView(
        address=link.address,
        open=is_open,
        heard_ms=_ago_ms(link, now_s),
        trouble="" if is_open else link.trouble,
        beats=link.strip.shown(now_s),
        late=link.strip.counts[LATE],
        missed=link.strip.counts[MISSED],
    )


class Caller:
    """Calls one address again and again until told to stop; at most one connection at a time."""

    def __init__(
        self,
        reactor: Any,
        clock: IReactorTime,
        tls: Any,
        address: str,
        fresh: Callable[[], Session],
    ) -> None:
        self._reactor = reactor
        self._clock = clock
        self._tls = tls
        self._address = address
        self._fresh = fresh
        self._session: Session | None = None
        self._pending: Deferred[Any] | None = None
        self._stopped = False
        self._retry_s = 0.2
        self._called_s = 0.0
        self._recheck = Recheck(tls.recheck, clock)

    def keep_up(self, retry_s: float) -> None:
        """Call now, and every ``retry_s`` while there is no connection."""
        self._retry_s = retry_s
        self._recheck.start()
        self._look()

    def _look(self) -> None:
        if self._stopped:
            return
        idle = self._session is None or self._session.stage is Stage.CLOSED
        if self._pending is not None:
            # By our clock: the endpoint's own timeout follows the wall clock.
            if self._clock.seconds() - self._called_s > CONNECT_S:
                self._pending.cancel()
        elif idle:
            self._call()
        self._clock.callLater(self._retry_s, self._look)

    def _call(self) -> None:
        session = self._session = self._fresh()
        self._called_s = self._clock.seconds()
        host, port = split_address(self._address)
        plain = HostnameEndpoint(self._reactor, host.encode(), port, timeout=CONNECT_S)
        factory = Factory.forProtocol(lambda: session.stream(self._clock))
        factory.noisy = False
        self._pending = wrapClientTLS(self._tls, plain).connect(factory)
        self._pending.addErrback(self._failed, session)
        self._pending.addBoth(self._settled)

    def _failed(self, failure: Failure, session: Session) -> None:
        session.abort(failure.getErrorMessage())

    def _settled(self, _: object) -> None:
        self._pending = None

    def stop(self) -> None:
        """Call no more."""
        self._stopped = True
        self._recheck.stop()
        if self._pending is not None:
            self._pending.cancel()
        if self._session is not None:
            self._session.abort("stopped")
