"""The ops port of one node: which path gives what, and how it is opened and closed.

Invariants: it only reads; it may fail to open and the node serves all the same (an alarm says so,
and it tries again); whatever is asked here costs the loop a bounded share (``cluster.opsport.web``)
and /metrics is written at most twice a second. It must not know what is built on the node: that
comes with its own collectors and one word, ``doors``.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable
from typing import Any, Final

import msgspec
from prometheus_client import CollectorRegistry, disable_created_metrics, generate_latest
from prometheus_client.process_collector import ProcessCollector
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from cluster.happening import Happening
from cluster.node import ClusterNode
from cluster.opsport import codes
from cluster.opsport.figures import ClusterFigures, Tally
from cluster.opsport.listening import Listener
from cluster.opsport.ring import Ring
from cluster.opsport.web import Page, Site, Stream, Wish, refusal
from cluster.status import lag_bytes
from config.settings import split_address
from protocols.shell.clock import BootClock

LISTENERS: Final = 8
"""Screens and collectors of one control room; more are sent to each other's."""
FRESH_S: Final = 0.5
"""Rendering the figures costs a millisecond or two: two a second whatever is asked."""
AGAIN_S: Final = 5.0
"""Between attempts to listen: another program may give the port back."""
TICK_S: Final = 1.0
METRICS_KIND: Final = b"text/plain; version=0.0.4; charset=utf-8"
PATHS: Final = (*codes.PAGES, "/metrics", "/events")


class OpsPort:
    """Serves what ``node`` is. ``registry`` may hold the collectors of what is built on it;
    ``doors`` says whether that is ready to serve.
    """

    def __init__(
        self,
        node: ClusterNode,
        listen: str,
        *,
        registry: CollectorRegistry | None = None,
        doors: Callable[[], bool] = lambda: True,
        clock: IReactorTime | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._node, self._listen, self._doors, self._wall = node, listen, doors, wall
        self._clock: IReactorTime = clock or BootClock()
        self._registry = registry or CollectorRegistry()
        self._ring = Ring(node.mind.boot)
        self._listeners: set[Listener] = set()
        self._rendered: tuple[float, bytes] = (float("-inf"), b"")
        self._later: list[IDelayedCall] = []
        self._site = Site(self._serve, self._clock)
        self._listening: Any = None
        disable_created_metrics()  # a second series for each counter that nobody reads
        tally = Tally()
        self._registry.register(ClusterFigures(self._look, tally))
        ProcessCollector(registry=self._registry)
        node.herald.listeners += [tally.heard, self._happened]

    # ------------------------------------------------------------------ life

    def start(self, reactor: Any) -> None:
        """Open it, now or when the address is free."""
        self._open(reactor)
        self._tick()

    @property
    def port(self) -> int:
        """The port it listens on, 0 while it does not."""
        return int(self._listening.getHost().port) if self._listening is not None else 0

    def _open(self, reactor: Any) -> None:
        host, port = split_address(self._listen)
        try:
            self._listening = reactor.listenTCP(port, self._site, interface=host)
        except CannotListenError as taken:
            text = f"The ops port {self._listen} cannot be opened: {taken.socketError}."
            self._node.chronicle.alarm("no-ops-port", text)
            self._after(AGAIN_S, lambda: self._open(reactor))
            return
        self._site.port = self._listening
        self._node.chronicle.alarm("no-ops-port", "")

    def close(self) -> None:
        """Close it and everything on it."""
        for call in self._later:
            if call.active():
                call.cancel()
        self._later = []
        self._site.close()
        if self._listening is not None:
            self._listening.stopListening()
            self._listening = None

    def _after(self, seconds: float, work: Callable[[], None]) -> None:
        self._later = [call for call in self._later if call.active()]
        self._later.append(self._clock.callLater(seconds, work))

    def _tick(self) -> None:
        now_s = self._clock.seconds()
        for listener in tuple(self._listeners):
            listener.tick(now_s)
        self._after(TICK_S, self._tick)

    def _happened(self, happening: Happening) -> None:
        self._ring.add(happening, self._wall())
        for listener in tuple(self._listeners):
            listener.pump()

    # ------------------------------------------------------------------ pages

    def _serve(self, wish: Wish) -> Page | Stream:
        if not self._ours(wish.host):
            return refusal(
                421,
                "This port is for this machine: ask for it as localhost or by its address, or set"
                " ops.listen to an address of the management network.",
            )
        if wish.path in codes.PAGES:
            return self._judged(wish.path)
        if wish.path == "/metrics":
            return Page(200, self._metrics(), METRICS_KIND)
        if wish.path == "/events":
            return self._events(wish)
        return refusal(404, f"There is no such page. There are: {', '.join(PATHS)}.")

    def _ours(self, host: str) -> bool:
        """On loopback only loopback's names are answered, so that no web page reads this port
        through a browser here by a name of its own.
        """
        if not _loopback(split_address(self._listen)[0]) or not host:
            return True
        name = host if host.endswith("]") or ":" not in host else host.rpartition(":")[0]
        return _loopback(name.strip("[]"))

    def _judged(self, path: str) -> Page:
        node = self._node
        seen = codes.outlook(node.mind, node.standing, doors=self._doors())
        judged = codes.PAGES[path](seen)
        record = node.mind.record
        said = {
            "version": 1,
            "ok": judged.code == codes.OK,
            "why": judged.why,
            "node": node.standing.node,
            "state": node.standing.state,
            "open": node.standing.open,
            "copies": node.standing.copies,
            "primary": node.standing.primary,
            "epoch": node.standing.epoch,
            "term": node.standing.term,
            "paused": record is not None and record.paused,
            "alarms": sorted(node.chronicle.alarms),
        }
        return Page(judged.code, msgspec.json.encode(said) + b"\n")

    def _metrics(self) -> bytes:
        now_s = self._clock.seconds()
        if now_s - self._rendered[0] >= FRESH_S:
            self._rendered = (now_s, generate_latest(self._registry))
        return self._rendered[1]

    def _look(self) -> Any:
        node = self._node
        senses = {"loop_lag_ms": node.loop_lag_ms, "disk_free_mb": node.disk_free_mb}
        alarms, links = node.chronicle.alarms, node.links.views()
        return node.mind, node.standing, links, alarms, senses, lag_bytes(node.mind)

    def _events(self, wish: Wish) -> Page | Stream:
        if len(self._listeners) >= LISTENERS:
            return refusal(503, f"There are {LISTENERS} listeners already; ask again later.")

        def begin(send: Callable[[bytes], None], cut: Callable[[str], None]) -> Listener:
            listener = Listener(self._ring, send, cut, self._clock.seconds())
            self._listeners.add(listener)
            listener.greet(wish.last_event_id, self._node.standing)
            return listener

        return Stream(begin, self._listeners.discard)


def _loopback(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
