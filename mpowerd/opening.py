"""Follows the standing: opens the doors when this node is the primary, shuts them the moment it is
not.

Invariants: Welcome is said only while the standing is open in the term the business was made for,
after the migrations; shutting is told to every terminal in the same step in which the standing says
so, before anything is waited for; a new term is a new business. An opening that fails is logged and
tried again while the standing stays open. This file must not know the rooms, sockets, or how a
standing comes about.

An opening that keeps failing raises ``doors-shut``: by its record this node serves, and nobody can
pay.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from cluster.standing import Standing
from mpowerd.alarms import Alarm
from mpowerd.business import Business
from mpowerd.hall import Hall
from protocols.messages import (
    IDLE_BEAT_MS,
    MAX_FRAME_BYTES,
    MAX_IN_FLIGHT,
    PROTOCOL_VERSION,
    Notice,
    NotPrimary,
    Welcome,
)

AGAIN_S: Final = 0.1
"""Between two attempts to open: a database that has just been promoted refuses for a moment."""
FAILS: Final = 30
"""So many attempts, three seconds, may fail before it is an alarm and tried more seldom."""
SELDOM_S: Final = 1.0
ONE_COPY: Final = "One copy only: the other server is away. Payments go on; tell operations."
TWO_COPIES: Final = "Two copies again: both servers hold every payment."


class Opening:
    """``make`` gives a new business that is not open yet (migrations run in it); ``alarm`` hears
    of an opening that keeps failing.
    """

    def __init__(
        self,
        hall: Hall,
        standing: Standing,
        make: Callable[[], Awaitable[Business]],
        alarm: Alarm,
    ) -> None:
        self._hall, self._make, self.alarm = hall, make, alarm
        self._failures = 0
        self._standing = standing
        self._business: Business | None = None
        self._term = 0
        self._today = ""
        self._day_due = False
        self._turn = asyncio.Event()
        self._following: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()

    @property
    def standing(self) -> Standing:
        """Where this node stands now."""
        return self._standing

    @property
    def business(self) -> Business | None:
        """What is open, None while the doors are shut."""
        return self._business if self._ready.is_set() else None

    def start(self) -> None:
        """Begin to follow; once."""
        self._following = asyncio.ensure_future(self._follow())
        self.stood(self._standing)

    def stood(self, standing: Standing) -> None:
        """Take the new standing; shutting happens before this returns."""
        before, self._standing = self._standing, standing
        if self._ready.is_set() and self._fits(standing):
            if standing != before:
                self._hall.greet(self._welcome())
            if standing.copies != before.copies:
                text = TWO_COPIES if standing.copies > 1 else ONE_COPY
                self._hall.push(Notice("copies", text))
        elif standing.finishing and standing.term == self._term and self._business is not None:
            self._ready.clear()
            self._hall.hold()
        else:
            if self._ready.is_set():
                structlog.get_logger().warning("doors shut", reason=standing.reason)
            self._ready.clear()
            self._hall.close(NotPrimary(standing.epoch, standing.where))
        if not standing.open:
            self._succeeded()
        self._turn.set()

    async def finished(self) -> None:
        """Wait until what was begun before the doors were shut has its answer."""
        await self._empty.wait()

    async def opened(self) -> Business:
        """Wait until the doors are open; gives what is behind them."""
        await self._ready.wait()
        assert self._business is not None, "ready without a business"
        return self._business

    def day_changed(self) -> None:
        """Greet with the business date as it is from now on."""
        self._day_due = True
        self._turn.set()

    async def close(self) -> None:
        """Shut the doors for good."""
        self._ready.clear()
        self._hall.close(NotPrimary(self._standing.epoch))
        following, self._following = self._following, None
        if following is not None:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
        await self._shut()

    def _fits(self, standing: Standing) -> bool:
        return standing.open and standing.term == self._term

    async def _follow(self) -> None:
        while True:
            await self._turn.wait()
            self._turn.clear()
            if not self._ready.is_set():
                await self._shut()
            if self._standing.open and self._business is None:
                await self._open(self._standing.term)
            elif self._day_due:
                await self._greet_the_day()

    async def _open(self, term: int) -> None:
        try:
            business = await self._make()
            self._empty.clear()
            self._business, self._term = business, term
            await business.open()
            self._today = await business.today()
        except Exception as error:  # noqa: BLE001 - tried again while the standing is open
            structlog.get_logger().error("opening failed", term=term, exc_info=error)
            asyncio.get_running_loop().call_later(self._failed(error), self._turn.set)
            return
        self._succeeded()
        if self._fits(self._standing):
            self._ready.set()
            self._hall.open(self._welcome(), business.doors)
            structlog.get_logger().info("doors open", term=term, epoch=self._standing.epoch)
        else:
            self._turn.set()

    def _failed(self, error: Exception) -> float:
        """Count it; in how many seconds it is tried again."""
        self._failures += 1
        if self._failures < FAILS:
            return AGAIN_S
        why = (str(error) or type(error).__name__).splitlines()[0]
        self.alarm("doors-shut", f"The counters' doors stay shut, nobody can pay here: {why}.")
        return SELDOM_S

    def _succeeded(self) -> None:
        """It is open, or need not be any more."""
        if self._failures >= FAILS:
            self.alarm("doors-shut", "")
        self._failures = 0

    async def _greet_the_day(self) -> None:
        self._day_due = False
        business = self.business
        if business is None:
            return
        try:
            self._today = await business.today()
        except Exception as error:  # noqa: BLE001 - the greeting is a courtesy; payments read the day itself
            structlog.get_logger().warning("the day could not be read", exc_info=error)
        if self._ready.is_set():
            self._hall.greet(self._welcome())

    async def _shut(self) -> None:
        if self._business is None:
            return
        try:
            await self._business.close()
        except Exception as error:  # noqa: BLE001 - what did not close ends with its deadlines
            structlog.get_logger().error("closing failed", exc_info=error)
        self._business = None
        self._empty.set()

    def _welcome(self) -> Welcome:
        standing = self._standing
        return Welcome(
            version=PROTOCOL_VERSION,
            node=standing.node,
            epoch=standing.epoch,
            term=standing.term,
            max_frame_bytes=MAX_FRAME_BYTES,
            max_in_flight=MAX_IN_FLIGHT,
            beat_ms=IDLE_BEAT_MS,
            business_date=self._today,
            notice="" if standing.copies > 1 else ONE_COPY,
        )
