"""One node of the pair: puts the machine together with PostgreSQL, the arbiter, the links and the
operators.

Invariants: nothing but the machine decides; standing and beat are derived from its mind and told
before its orders run; any error of ours shuts the gate, hands over, stops PostgreSQL and ends the
node: it never goes on half-way. It must not know electricity, nor how its parts work.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import msgspec
from twisted.internet.interfaces import IReactorTime

from cluster import actions as do
from cluster import events as ev
from cluster.annals import Annals
from cluster.arbiter import Arbiter
from cluster.chronicle import Chronicle
from cluster.door import Door
from cluster.duties import Duties, own_link
from cluster.errands import Errands, nothing_under_way
from cluster.findings import read_holdings, read_password
from cluster.heart import Heart
from cluster.herald import Herald
from cluster.keepsake import Keepsake
from cluster.left_behind import Reports
from cluster.link import Links
from cluster.machine import begin, step
from cluster.mind import Mind
from cluster.postgres.control import Control
from cluster.postgres.troubles import PostgresTroubleError
from cluster.pulse import Pulse
from cluster.senses import Senses
from cluster.standing import Standing
from cluster.states import State
from cluster.status import status_of
from cluster.strip import Strip
from cluster.thinking import Thinking
from cluster.timers import timers_of
from cluster.verbs import Verbs
from cluster.view import beat_of, standing
from cluster.volume import Volume
from config.settings import NodeSettings
from protocols.peer import NodeBeat
from protocols.shell.clock import BootClock
from protocols.shell.tls import ALPN_PEER, TlsFiles, client_side, server_side

STOP_S: Final = 4.5
"""From SIGTERM to the end, whatever hangs."""
END_S: Final = 2.0
"""The last immediate stop of PostgreSQL and the end of what still runs."""
Bootstrapped = Callable[[Mapping[str, str]], Awaitable[None]]


class ClusterNode:
    """One node. ``on_standing`` gets each new Standing at once, within the step that made it.

    ``on_bootstrap`` (set by the house) gets the operator's arguments once the new cluster is open.
    ``on_status`` gives what is built on this node adds to its status.
    ``on_drain`` (set by the house) returns when what was begun before the gate was shut is over.
    ``on_end`` gets the reason when this node ends by itself: a fault, or Quit after leaving.
    """

    def __init__(
        self,
        settings: NodeSettings,
        control: Control,
        arbiter: Arbiter,
        on_standing: Callable[[Standing], None],
        *,
        close_arbiter: Callable[[], None] = lambda: None,
        clock: IReactorTime | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.settings = settings
        self.on_bootstrap: Bootstrapped = _nothing_to_add
        self.on_end: Callable[[str], None] = _nobody_listens
        self.on_status: Callable[[], dict[str, Any]] = dict
        self.on_drain: Callable[[], Awaitable[None]] = nothing_under_way
        self._control = control
        self._arbiter = arbiter
        self.keep_line, self.kept_lines = arbiter.keep, arbiter.kept
        self._close_arbiter = close_arbiter
        self._on_standing = on_standing
        self._clock: IReactorTime = clock or BootClock()
        self.chronicle = Chronicle(settings.node, wall, self._clock.seconds)
        mind = self._new_mind()
        self.standing = self._standing(mind)
        self.herald = Herald(self.standing)
        self.chronicle.on_alarm = self.herald.alarm
        self.links = self._new_links()
        self._thinking = self._new_thinking(mind, wall)
        self._senses = self._new_senses()
        self._heart = self._new_heart()
        self._pulse = Pulse("beat", self._clock, self._beat_s, self._beat, self.fail)
        self.annals, self._reports = Annals(settings.data), Reports(settings.data)
        self.verbs = Verbs(self.status, self)
        self._quit = asyncio.Event()
        self._opened = asyncio.Event()
        self._failed, self._moves = "", 0
        self._door: Door | None = None
        self._errands: Errands | None = None
        self._keepsake: Keepsake | None = None

    def _new_mind(self) -> Mind:
        settings = self.settings
        return begin(
            settings.node,
            settings.peer.name,
            settings.cluster.name,
            secrets.token_hex(8),
            timers=timers_of(settings.cluster.timers),
            now_s=self._clock.seconds(),
        )

    def _new_thinking(self, mind: Mind, wall: Callable[[], float]) -> Thinking:
        return Thinking(
            mind,
            step,
            self._clock,
            tell=self._tell,
            obey=self._obey,
            fault=self.fail,
            wall=wall,
        )

    def _new_links(self) -> Links:
        settings = self.settings
        return Links(
            cluster=settings.cluster.name,
            me=settings.node,
            peer=settings.peer.name,
            addresses=(settings.peer if self._calls else settings.here).peer,
            heard=lambda link, beat: self.take(ev.BeatHeard(link, beat)),
            clock=self._clock,
            timers=timers_of(settings.cluster.timers),
            first=own_link(settings.peer),
        )

    def _new_heart(self) -> Heart:
        timers = timers_of(self.settings.cluster.timers)
        strip = Strip(timers.beat_s, timers.suspect_s)
        return Heart(self._say, self.links, self._arbiter, self._clock.seconds, self.take, strip)

    def _new_senses(self) -> Senses:
        return Senses(
            self._thinking,
            self._control,
            Volume(self.settings.data, self.settings.postgres.ballast_mb),
            self._clock,
            stalled=lambda for_s: self.links.renew(f"this process stood still for {for_s:.1f} s"),
            fault=self.fail,
        )

    @property
    def mind(self) -> Mind:
        """What the machine knows and believes now."""
        return self._thinking.mind

    @property
    def loop_lag_ms(self) -> int:
        """How late the last tick came."""
        return self._senses.loop_lag_ms

    @property
    def disk_free_mb(self) -> int:
        """Free space of the data folder's disk, -1 unknown."""
        return self._senses.disk_free_mb

    @property
    def _calls(self) -> bool:
        """Of two nodes, the one whose name sorts first calls; one connection serves both ways."""
        return self.settings.node < self.settings.peer.name

    # ------------------------------------------------------------------ life

    async def start(self, reactor: Any) -> None:
        """Lock the folder, clear what an earlier life left, listen, and let the machine begin.

        NotOursError or PostgresTroubleError say in a sentence why this node cannot run.
        """
        settings = self.settings
        keepsake = self._keepsake = await asyncio.to_thread(
            Keepsake, settings.data, settings.cluster.name, settings.node
        )
        secret = settings.postgres.replication_password_file
        password = await asyncio.to_thread(read_password, secret)
        for warning in await self._control.prepare(password):
            self.chronicle.note(warning)
        strays = await self._control.stop_stray()
        if strays:
            self.chronicle.note(f"Stopped {strays} processes of an earlier life's PostgreSQL.")
        await asyncio.to_thread(self._reports.read)
        holdings = await read_holdings(self._control, keepsake.kept)
        await asyncio.to_thread(self.annals.begin, keepsake.kept.record)
        duties = Duties(
            settings.node, settings.peer, self._control, keepsake, self._reports, password
        )
        self._errands = Errands(
            duties,
            self._arbiter,
            keepsake,
            self.take,
            self.fail,
            strict=settings.cluster.strict,
        )
        self._errands.finish, self._errands.enter = self.on_drain, self.annals.add
        self._listen(reactor)
        self.take(ev.Booted(holdings))
        self._senses.start()
        self._pulse.start()

    def _listen(self, reactor: Any) -> None:
        settings, tls = self.settings, self.settings.tls
        files = TlsFiles(tls.ca, tls.certificate, tls.key, tls.revoked)
        cluster = settings.cluster.name
        self._door = Door(
            cluster,
            {"node": self.links, "ops": self.verbs},
            server_side(files, cluster, ("node", "ops"), ALPN_PEER),
            self._clock,
        )
        self._door.listen(reactor, settings.here.peer)
        if self._calls:
            calling = client_side(files, cluster, ["node"], ALPN_PEER)
            self.links.call(reactor, calling, self._beat_s())

    async def stop(self, reason: str = "it is being shut down") -> None:
        """Leave: hand over, stop PostgreSQL, end; bounded, whatever hangs."""
        self.take(ev.Leaving(reason))
        try:
            await asyncio.wait_for(self._quit.wait(), STOP_S)
        except TimeoutError:
            self.chronicle.note(f"Leaving took longer than {STOP_S:g} s.", self.mind.state)
        await self._end()

    async def _end(self) -> None:
        """Everything stops; PostgreSQL too, in any case."""
        self._thinking.end()
        self._close_gate("this node has ended")
        self._senses.stop()
        self._pulse.stop()
        try:
            async with asyncio.timeout(END_S):
                await self._control.stop("immediate")
        except (TimeoutError, PostgresTroubleError) as trouble:
            self.chronicle.note(f"PostgreSQL could not be stopped: {trouble}")
        self.links.close()
        self._close_arbiter()
        if self._door is not None:
            self._door.close()
        if self._errands is not None:
            await self._errands.close(END_S)
        if self._keepsake is not None:
            self._keepsake.close()

    def fail(self, where: str, wrong: BaseException) -> None:
        """An error of ours: shut the gate, hand over, stop PostgreSQL, end. The first one
        counts.
        """
        fault_id = secrets.token_hex(4)
        self.chronicle.fault(fault_id, where, wrong)
        if self._failed:
            return
        self._failed = f"fault {fault_id} in {where}: {wrong}"
        self._thinking.end()
        self._close_gate(self._failed)
        self._heart.beat()
        asyncio.ensure_future(self._end()).add_done_callback(lambda _: self.on_end(self._failed))

    def _close_gate(self, reason: str) -> None:
        closed = msgspec.structs.replace(
            self.standing, state=State.FAULT, open=False, alone=False, sync_name="", reason=reason
        )
        if self.standing.open or self.standing.state != State.FAULT:
            self.standing = closed
            self._on_standing(closed)
            self.herald.stood(closed)

    # ------------------------------------------------------------------ events in

    def take(self, event: ev.Event) -> None:
        """Give the machine one event; it is stepped at once."""
        self._thinking.take(event)

    def _beat_s(self) -> float:
        return self.settings.cluster.timers.beat_ms / 1000

    def _beat(self, _late_s: float) -> None:
        self._heart.beat()
        self._look_at_links()

    def _look_at_links(self) -> None:
        """Replication leaves a dead link at once; people hear of it when it lasts."""
        way = self.links.way
        if (way.moves > self._moves) and self._errands is not None:
            self._moves = way.moves
            away = tuple(self.links.links[n].host for n in sorted(way.dead))
            self._errands.order(do.Reroute(way.link, away))
            dead = " and ".join(f"link {n + 1}" for n in sorted(way.dead)) or "a link"
            self.chronicle.note(f"{dead.capitalize()} down; replication goes over {way.link + 1}.")
        down = [self.links.links[n].address for n in sorted(way.told)]
        text = f"Dead, while another link lives: {', '.join(down)}." if down else ""
        self.chronicle.alarm("link-down", text)

    # ------------------------------------------------------------------ the machine's word out

    def _standing(self, mind: Mind) -> Standing:
        where = self.settings.cluster
        return standing(mind, {one.name: one.terminals for one in where.nodes})

    def _say(self, counter: int) -> NodeBeat:
        now_s, lag_ms, free_mb = self._clock.seconds(), self.loop_lag_ms, self.disk_free_mb
        beat = beat_of(self.mind, counter, now_s, loop_lag_ms=lag_ms, disk_free_mb=free_mb)
        if self._failed:
            return msgspec.structs.replace(beat, healthy=False, handover=self._failed)
        return beat

    def _tell(self, mind: Mind) -> None:
        self._senses.hasten()
        before, now = self.standing, self._standing(mind)
        if now == before:
            return
        self.standing = now
        self._on_standing(now)
        self.herald.stood(now)
        if now.open:
            self._opened.set()
        else:
            self._opened.clear()
        if now.state != before.state:
            # Whoever acts on our state shall not wait for the next beat.
            self._heart.beat()

    def _obey(self, order: do.Action) -> None:
        match order:
            case do.BeatNow():
                self._heart.beat()
            case do.Alarm(kind, text):
                self.chronicle.alarm(kind, text)
            case do.Note(text):
                self.chronicle.note(text, self.mind.state, self.standing.epoch)
            case do.AnswerVerb():
                self.verbs.answered(order)
            case do.Quit():
                self._quit.set()
            case _:
                assert self._errands is not None, "orders come after the start"
                self._errands.order(order)

    # ------------------------------------------------------------------ operators

    def status(self) -> dict[str, Any]:
        """The answer to an operator's ``status``."""
        busy = self._errands.busy if self._errands else ""
        beats = self._heart.strip.shown(self._clock.seconds())
        said = status_of(self.mind, self.standing, self.chronicle, self.links.views(), busy, beats)
        senses = {"loop_lag_ms": self.loop_lag_ms, "disk_free_mb": self.disk_free_mb}
        arbiter = self._arbiter.view()
        return {
            **said,
            **senses,
            "left_behind": self._reports.told(),
            "wall_s": self.chronicle.wall(),
            "addresses": {one.name: one.peer for one in self.settings.cluster.nodes},
            "arbiter": arbiter.get("kind", self.settings.cluster.arbiter),
            "arbiter_at": arbiter,
            "house": self.on_status(),
        }

    def asked(self, event: ev.Asked) -> None:
        """Hand an operator's verb to the machine, and which arbiter is asked at present."""
        here = ("here", str(self._arbiter.view().get("name", "")))
        self.take(ev.Asked(event.verb, (*event.arguments, here)))

    async def finish(self, verb: str, arguments: Mapping[str, str]) -> None:
        """A new cluster is made when it is open and the house has added what is its own."""
        if verb == "bootstrap":
            await self._opened.wait()
            await self.on_bootstrap(arguments)

    def verb_fault(self, verb: str, wrong: BaseException) -> str:
        """Log an error of a verb; its id."""
        fault_id = secrets.token_hex(4)
        self.chronicle.fault(fault_id, f"the verb {verb}", wrong)
        return fault_id


async def _nothing_to_add(_arguments: Mapping[str, str]) -> None:
    """A cluster without a house on top."""


def _nobody_listens(_reason: str) -> None:
    """Before the house listens."""
