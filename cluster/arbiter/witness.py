"""The witness as a node sees it: one connection, kept up; beats answered by relays; reads and
swaps.

Invariants: a swap that was sent and not answered is unknown, one that found no connection never
left; nothing is ever sent twice. Relays come in the order of the beats they answer. A connection
whose answers are overdue is dropped and called anew. It must not know what the record says.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from twisted.internet.interfaces import IReactorTime

from cluster.arbiter import ArbiterUnreachable, Reading, Swapped, SwapUnknown
from cluster.link import Caller
from cluster.session import Session
from protocols.peer import (
    KeepLine,
    LineKept,
    NodeBeat,
    PeerMessage,
    ReadRecord,
    Record,
    RecordIs,
    Relay,
    Swap,
    SwapResult,
)

ANSWER_S: Final = 1.0
"""The witness answers in the time of one fsync; later its answer would find the machine
elsewhere.
"""
RETRY_S: Final = 0.2

Outcome = asyncio.Future[PeerMessage | None]


class WitnessArbiter:
    """Implements ``Arbiter`` over the peer protocol."""

    def __init__(
        self, reactor: Any, clock: IReactorTime, tls: Any, *, cluster: str, address: str
    ) -> None:
        self._clock = clock
        self._cluster = cluster
        self._address = address
        self._session: Session | None = None
        self._ids = itertools.count(1)
        self._beats: deque[Outcome] = deque()
        self._questions: dict[int, Outcome] = {}
        self._caller = Caller(reactor, clock, tls, address, self._fresh)
        self.trouble = "not connected yet"

    def keep_up(self) -> None:
        """Connect, and stay connected."""
        self._caller.keep_up(RETRY_S)

    def close(self) -> None:
        """Connect no more."""
        self._caller.stop()

    async def beat(self, beat: NodeBeat) -> Relay:
        """Leave this node's beat; the relay that answers it."""
        session = self._reach()
        outcome: Outcome = asyncio.get_running_loop().create_future()
        self._beats.append(outcome)
        session.send(beat)
        said = await self._within(outcome)
        if isinstance(said, Relay):
            return said
        # The relays that follow would be taken for answers to later beats: begin anew.
        session.abort("the witness does not answer")
        raise ArbiterUnreachable(self.trouble)

    async def read(self) -> Reading:
        """Read the record, linearizably."""
        said = await self._ask(ReadRecord)
        if not isinstance(said, RecordIs):
            raise ArbiterUnreachable(self.trouble or "the witness does not answer")
        return Reading(said.record, said.nonce)

    async def swap(self, expected: int | None, record: Record) -> Swapped:
        """Store ``record`` if the stored epoch is ``expected`` (None: if there is no record)."""
        said = await self._ask(lambda number: Swap(number, expected, record))
        if not isinstance(said, SwapResult):
            raise SwapUnknown(self.trouble or "the witness does not answer")
        return Swapped(said.done, said.record, said.nonce, said.refusal)

    async def keep(self, text: str) -> str:
        """Keep a line; an answer that does not come is a reason like another: it is left again."""
        said = await self._ask(lambda number: KeepLine(number, text))
        if not isinstance(said, LineKept):
            raise ArbiterUnreachable(self.trouble or "the witness does not answer")
        return said.refusal

    async def kept(self) -> list[str]:
        """A witness gives its lines to operators, not to nodes."""
        return []

    def view(self) -> dict[str, Any]:
        """Where it is looked for."""
        return {"address": self._address, "trouble": self.trouble}

    async def adopt(self) -> None:
        """A witness is known by its certificate alone."""

    def _reach(self) -> Session:
        if self._session is None:
            raise ArbiterUnreachable(self.trouble)
        return self._session

    async def _ask(self, question: Callable[[int], PeerMessage]) -> PeerMessage | None:
        session = self._reach()
        number = next(self._ids)
        outcome: Outcome = asyncio.get_running_loop().create_future()
        self._questions[number] = outcome
        session.send(question(number))
        try:
            return await self._within(outcome)
        finally:
            self._questions.pop(number, None)

    async def _within(self, outcome: Outcome) -> PeerMessage | None:
        call = self._clock.callLater(ANSWER_S, _settle, outcome, None)
        try:
            return await outcome
        finally:
            if call.active():
                call.cancel()

    # ------------------------------------------------------------------ what the session says

    def _fresh(self) -> Session:
        return Session(self._cluster, self)

    def session_open(self, session: Session) -> None:
        """The witness is there."""
        self._session = session
        self.trouble = ""

    def message_came(self, session: Session, message: PeerMessage) -> None:
        """A relay or an answer; anything else is not said by a witness."""
        match message:
            case Relay() if self._beats:
                _settle(self._beats.popleft(), message)
            case RecordIs(number) | SwapResult(number) | LineKept(number) if (
                number in self._questions
            ):
                _settle(self._questions[number], message)
            case RecordIs() | SwapResult() | LineKept():
                pass  # too late: its asker has drawn the conclusion
            case _:
                session.refuse("bad-message", "A witness relays, reads and swaps; nothing else.")

    def session_over(self, session: Session, reason: str) -> None:
        """The connection is gone: what was asked is not answered any more."""
        self.trouble = reason
        if session is not self._session:
            return
        self._session = None
        waiting = [*self._beats, *self._questions.values()]
        self._beats.clear()
        for outcome in waiting:
            _settle(outcome, None)


def _settle(outcome: Outcome, said: PeerMessage | None) -> None:
    if not outcome.done():
        outcome.set_result(said)
