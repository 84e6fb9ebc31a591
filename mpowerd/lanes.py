"""A lane: one line of intents that are posted together. What arrives while a batch commits joins
the next batch.

Invariants: every intent taken in gets exactly one answer; a batch has one role and each key once (a
second of the same key waits for the next batch, where it is a replay); a batch that fails as a
statement is parted in two until the one to blame stands alone, so its neighbours are unharmed. No
timer waits for more: an idle lane posts one at once. The queue is bounded: beyond it, BUSY. This
file must not know what is posted, nor SQL, nor sockets.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Any, Final, Generic, TypeVar

import structlog

from mpowerd.caller import Caller
from mpowerd.faults import ANY_END, refused_for, settle
from protocols.operation import Role
from protocols.refusals import Refused

CAP: Final = 128
"""Items of one batch: beyond it a payment costs no less, and the first of the batch waits longer.
"""
QUEUE: Final = 2_048
"""Items waiting: a quarter of a second of work; a terminal that waits longer asks the other node.
"""
LOOK_AHEAD: Final = 4 * CAP
"""How far a batch looks past items it cannot take (another role, a key twice), so that forming one
stays cheap.
"""
TOLD_AT_ONCE: Final = 8
PARTING_S: Final = 2.0
"""How long one failed batch may be parted: then the rest is BUSY, for the queue behind it waits."""

Out = TypeVar("Out")
Answer = Callable[["Out | Refused"], None]


class Waiting(Generic[Out]):
    """One intent in the line: its key, its caller's role, the room's item, and whom to answer."""

    __slots__ = ("answer", "item", "key", "role")

    def __init__(self, key: Hashable, role: Role, item: Any, answer: Answer[Out]) -> None:
        self.key, self.role, self.item, self.answer = key, role, item, answer


class Lane(Generic[Out]):
    """``post`` commits a batch of one role: as many outcomes as items, in order, or it raises and
    nothing is done.
    """

    def __init__(
        self,
        post: Callable[[Role, Sequence[Any]], Awaitable[Sequence[Out]]],
        clock: Callable[[], float],
        cap: int = CAP,
        queue: int = QUEUE,
    ) -> None:
        self._post, self._clock, self._cap, self._limit = post, clock, cap, queue
        self._line: deque[Waiting[Out]] = deque()
        self._told: deque[tuple[Waiting[Out], Out]] = deque()
        self._idle: asyncio.Future[None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._telling: asyncio.Handle | None = None
        self.batches = 0
        self.posted = 0

    def __len__(self) -> int:
        """How many wait."""
        return len(self._line)

    def start(self) -> None:
        """Begin to post; once."""
        assert self._task is None, "a lane is started once"
        self._task = asyncio.ensure_future(self._run())

    def offer(self, key: Hashable, caller: Caller, item: Any, answer: Answer[Out]) -> None:
        """Take one intent into the line; raises Refused BUSY when it is full, NOT_PRIMARY when the
        lane is closed.
        """
        if self._task is None:
            raise Refused("NOT_PRIMARY")
        if len(self._line) >= self._limit:
            raise Refused("BUSY")
        self._line.append(Waiting(key, caller.role, item, answer))
        if self._idle is not None:
            self._idle.set_result(None)
            self._idle = None

    async def close(self) -> None:
        """Stop after the batch that is being posted; what still waits is told NOT_PRIMARY and comes
        again.
        """
        task, self._task = self._task, None
        if self._idle is not None:
            self._idle.set_result(None)
            self._idle = None
        if task is not None:
            await task
        while self._told:
            _tell(*self._told.popleft())
        while self._line:
            _tell(self._line.popleft(), Refused("NOT_PRIMARY"))

    async def _run(self) -> None:
        while self._task is not None:
            if not self._line:
                self._idle = asyncio.get_running_loop().create_future()
                await self._idle
                continue
            batch = self._form()
            self.batches += 1
            self.posted += len(batch)
            await self._settle(batch, self._clock() + PARTING_S)

    def _form(self) -> list[Waiting[Out]]:
        """Take the next batch from the head of the line; what cannot go with it keeps its place in
        front.
        """
        batch: list[Waiting[Out]] = []
        passed: list[Waiting[Out]] = []
        keys: set[Hashable] = set()
        role = self._line[0].role
        while self._line and len(batch) < self._cap and len(passed) < LOOK_AHEAD:
            one = self._line.popleft()
            if one.role != role or one.key in keys:
                passed.append(one)
            else:
                keys.add(one.key)
                batch.append(one)
        self._line.extendleft(reversed(passed))
        return batch

    async def _settle(self, batch: list[Waiting[Out]], until_s: float) -> None:
        try:
            outcomes = await self._post(batch[0].role, [one.item for one in batch])
        except ANY_END as error:
            await self._part(batch, error, until_s)
            return
        self._told.extend(zip(batch, outcomes, strict=True))
        self._tell_some()

    def _tell_some(self) -> None:
        """Answer a few, the rest after the loop has looked around.

        Answering a whole batch at once would keep the next one from the database: a millisecond
        for every dozen.
        """
        for _ in range(min(TOLD_AT_ONCE, len(self._told))):
            _tell(*self._told.popleft())
        if self._told and self._telling is None:
            self._telling = asyncio.get_running_loop().call_soon(self._tell_on)

    def _tell_on(self) -> None:
        self._telling = None
        self._tell_some()

    async def _part(self, batch: list[Waiting[Out]], error: BaseException, until_s: float) -> None:
        """Find who is to blame by halves, unless all are in the same boat: gate, doubt, connection,
        time.
        """
        known = refused_for(error)
        shared = isinstance(error, asyncio.CancelledError) or (
            known is not None and getattr(error, "sqlstate", None) is None
        )
        if len(batch) == 1 or shared:
            refused = settle(error, lane=len(batch))
            for one in batch:
                _tell(one, refused)
            return
        middle = len(batch) // 2
        for half in (batch[:middle], batch[middle:]):
            if self._clock() < until_s:
                await self._settle(half, until_s)
            else:
                for one in half:
                    _tell(one, Refused("BUSY"))


def _tell(one: Waiting[Out], outcome: Out | Refused) -> None:
    try:
        one.answer(outcome)
    except Exception as error:  # noqa: BLE001 - one listener's mistake must not cost its neighbours their answer
        structlog.get_logger().error("an answer could not be given", exc_info=error)
