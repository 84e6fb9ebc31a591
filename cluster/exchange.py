"""Two nodes tell each other their history when a link comes up: what one was not there to see, it
learns from the other.

An arbiter keeps the record, not what led to it: a change made while a node was down would be on one
disk only. Nothing waits for it and nothing is decided by it; a disk that takes no writes, or an
entry that cannot be read, costs the other's part of the history until the next link comes up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import msgspec

from cluster.annals import Annals
from cluster.session import Session
from protocols.annals import Entry
from protocols.peer import Chapter


class Exchange:
    """Between this node's annals and its links."""

    def __init__(self, annals: Annals) -> None:
        self._annals = annals
        self._tasks: set[asyncio.Task[None]] = set()

    def link_up(self, session: Session) -> None:
        """Tell the peer what is kept here."""
        self._keep(self._tell(session))

    def heard(self, chapter: Chapter) -> None:
        """Enter what the peer has told."""
        self._keep(self._learn(chapter))

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tell(self, session: Session) -> None:
        told = await asyncio.to_thread(self._annals.chapter)
        session.send(Chapter(msgspec.json.encode(told).decode()))

    async def _learn(self, chapter: Chapter) -> None:
        try:
            entries = msgspec.json.decode(chapter.entries, type=list[Entry])
            await asyncio.to_thread(self._annals.learn, entries)
        except (OSError, msgspec.MsgspecError):
            return
