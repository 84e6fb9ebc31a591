"""The witness's desk: beats relayed at once, reads and compare-and-swaps one after the other,
stored before answered.

Invariants: nothing is answered as stored that is not fsynced; an fsync never blocks the relay of
beats (it runs in a thread); if the disk fails, nobody knows what it holds, and the process ends
without an answer. Who writes is known from the certificate: a node may speak as itself only. What a
swap or a beat means for the register is decided in ``register``; this file must not know.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from typing import Any, Final

import structlog

from cluster.arbiter import register as registers
from cluster.arbiter.shelf import Shelving
from cluster.arbiter.store import RecordFile
from cluster.session import Session
from protocols.peer import (
    KeepLine,
    NodeBeat,
    PeerMessage,
    ReadRecord,
    Record,
    RecordIs,
    Swap,
    SwapResult,
)

MAX_WAITING: Final = 64
"""Questions waiting for the disk: two nodes ask a handful; more is a machine gone wrong."""

IDLE_S: Final = 1.0
"""After so long without a question the highest flush is kept, if it has grown: one small write a
second while money is taken.
"""


class Desk:
    """Serves the two nodes from one register and one file. ``die`` ends the process at once;
    ``is_here`` says whether an address is this machine's own. Lines that nodes leave are
    ``shelving``'s.
    """

    def __init__(
        self,
        file: RecordFile,
        nodes: list[str],
        clock: Callable[[], float],
        die: Callable[[str], None],
        is_here: Callable[[str], bool] = lambda _address: False,
        shelving: Shelving | None = None,
    ) -> None:
        self.shelving = shelving
        self.nonce = secrets.token_hex(8)
        self.register = registers.start(tuple(nodes), self.nonce, file.stored.kept)
        self._file = file
        self._clock = clock
        self._die = die
        self._is_here = is_here
        self._beside: set[str] = set()
        self._log: Any = structlog.get_logger("witness")
        self._waiting: asyncio.Queue[tuple[Session, ReadRecord | Swap]] = asyncio.Queue(MAX_WAITING)
        self._worker: asyncio.Task[None] | None = None
        self._writing: asyncio.Future[None] | None = None

    def start(self) -> None:
        """Begin to answer."""
        self._worker = asyncio.ensure_future(self._work())
        self._worker.add_done_callback(self._ended)

    async def stop(self) -> None:
        """Answer no more; what is being written is finished first."""
        if self._worker is not None and not self._worker.done():
            self._worker.cancel()
            await asyncio.wait({self._worker})
        if self._writing is not None:
            await asyncio.wait({self._writing})
        if self.shelving is not None:
            await self.shelving.stop()

    def status(self) -> dict[str, Any]:
        """What the witness says of itself to an operator."""
        now_s = self._clock()
        register = self.register
        return {
            "nonce": self.nonce,
            "starts": self._file.stored.starts,
            "record": register.record,
            "high_flush": register.high_flush,
            "confirmed": sorted(register.confirmed),
            "ahead_epoch": register.ahead_epoch,
            "doubt": registers.doubt(register),
            "beside": sorted(self._beside),
            "beats": {one.beat.node: round((now_s - one.moved_s) * 1000) for one in register.heard},
        }

    # ------------------------------------------------------------------ what sessions say

    def session_open(self, session: Session) -> None:
        """Only the two nodes of this cluster have a word here."""
        if session.who.name not in self.register.nodes:
            known = " and ".join(self.register.nodes)
            session.refuse("wrong-node", f"Here {known} are the nodes, not {session.who.name}.")
        else:
            self._log.info("node connected", node=session.who.name, address=session.address)
            self._look_where(session)

    def _look_where(self, session: Session) -> None:
        """A witness on a server of the pair dies with it, and then nobody takes over."""
        if self._is_here(session.address):
            self._beside.add(session.who.name)
            self._log.warning(
                "this witness runs on a node's own machine",
                node=session.who.name,
                do="stop it, move its folder to a third machine, start it there",
            )
        else:
            self._beside.discard(session.who.name)

    def message_came(self, session: Session, message: PeerMessage) -> None:
        """A beat is answered now; a question waits for its turn at the disk."""
        who = session.who.name
        if isinstance(message, NodeBeat) and message.node == who:
            now_s = self._clock()
            self.register = registers.took(self.register, message, now_s)
            session.send(registers.relay_for(self.register, who, now_s))
        elif isinstance(message, KeepLine) and self.shelving is not None:
            self.shelving.take(session, message)
        elif isinstance(message, ReadRecord | Swap) and not self._waiting.full():
            self._waiting.put_nowait((session, message))
        else:
            session.refuse(
                "bad-message", "A node beats as itself, reads, swaps and leaves lines, in measure."
            )

    def session_over(self, session: Session, reason: str) -> None:
        """A node is gone; what it asked and was not answered may still be done."""
        self._log.info("node gone", address=session.address, reason=reason)

    # ------------------------------------------------------------------ the disk

    async def _work(self) -> None:
        while True:
            try:
                session, asked = await asyncio.wait_for(self._waiting.get(), IDLE_S)
            except TimeoutError:
                await self._keep_flush()
                continue
            if isinstance(asked, ReadRecord):
                session.send(RecordIs(asked.id, self.register.record, self.nonce))
            else:
                session.send(await self._swap(asked))

    async def _keep_flush(self) -> None:
        kept = registers.kept_flush(self.register, self._file.stored.kept)
        if kept is not None:
            await self._keep(kept)

    async def _keep(self, kept: registers.Kept) -> None:
        """Store it in a thread; a write that was begun is never given up."""
        self._writing = asyncio.ensure_future(asyncio.to_thread(self._file.keep, kept))
        await asyncio.shield(self._writing)

    async def _swap(self, asked: Swap) -> SwapResult:
        refusal = registers.judge(self.register, asked.expected, asked.record)
        if not refusal:
            kept = registers.kept_of(self.register, asked.record)
            await self._keep(kept)
            # Beats were heard meanwhile: the record joins what is known now.
            self.register = registers.swapped(self.register, asked.record)
        self._say(asked.record, refusal)
        return SwapResult(asked.id, not refusal, self.register.record, self.nonce, refusal)

    def _say(self, record: Record, refusal: str) -> None:
        what = "refused" if refusal else "stored"
        self._log.info(
            what, epoch=record.epoch, by=record.by, reason=record.reason, refusal=refusal
        )

    def _ended(self, worker: asyncio.Task[None]) -> None:
        if not worker.cancelled() and (wrong := worker.exception()) is not None:
            self._die(f"The witness ends: its disk or its code failed ({wrong!r}).")
