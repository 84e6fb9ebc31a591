"""Enters into the audit what is done beside the rooms: a change of the cluster's record, another
list of revoked certificates, other settings.

Such an act is done while the database may be down, and must not wait for it; so it is not written
with its entry, but found again where it left its trace, and entered by whoever is primary.
Invariants: what is found is entered once, whichever node finds it and however often (the audit
itself is asked what it holds already, so that entries a takeover gave up are made again); what
could not be entered is tried again while the primary stands. This file must not know where traces
are left.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import msgspec
import structlog
from msgspec import Struct

from mpowerd.audit import store
from mpowerd.caller import Caller
from mpowerd.database import Busy, Cursor, Database, Doubtful, Gated
from protocols.operation import Role

AT_ONCE: Final = 100
"""Entries in one transaction: a history of years is caught up within a minute."""
log = structlog.get_logger("mpowerd.audit")
Said = dict[str, str]


class Happened(Struct, frozen=True):
    """``after`` is how ``about`` stands since; ``before`` how it stood, None: as was entered last.
    It is entered unless that is what was entered last under the name ``what``.
    """

    what: str
    about: str
    after: Said
    reason: str = ""
    before: Said | None = None

    @property
    def place(self) -> tuple[str, str]:
        """What tells it from all others."""
        return self.what, self.about


class _Details(Struct, frozen=True):
    after: Said
    before: Said = {}


Find = Callable[[], Awaitable[Sequence[Happened]]]


async def nothing_happened() -> Sequence[Happened]:
    """Leave no traces."""
    return ()


class Entering:
    """Called every so often in one term of the primary ``node``; ``find`` gives everything whose
    trace there is, the oldest first, and the same list while nothing happened.
    """

    def __init__(self, database: Database, node: str, find: Find) -> None:
        self._database, self._find = database, find
        self._node = Caller("", "", Role.OPS, f"node/{node}", "", "", b"")
        self._entered: dict[tuple[str, str], Said] = {}
        self._done: Sequence[Happened] | None = None

    async def __call__(self) -> None:
        """Enter what is not there yet; the next call goes on where this one ended."""
        found = await self._find()
        if found is self._done:
            return
        new = [one for one in found if self._entered.get(one.place) != one.after][:AT_ONCE]
        if not new:
            self._done = found
            return

        async def work(cursor: Cursor) -> None:
            before = await _newest(cursor, new)
            for one in new:
                last = before.get(one.place)
                if last != one.after:
                    await self._enter(cursor, one, last or {})

        try:
            await self._database.write("audit: what happened", None, work)
        except (Busy, Doubtful, Gated) as wrong:
            log.info("what happened is not entered yet", why=str(wrong), waiting=len(new))
            return
        self._entered |= {one.place: one.after for one in new}

    async def _enter(self, cursor: Cursor, one: Happened, last: Said) -> None:
        details = _Details(one.after, last if one.before is None else one.before)
        await store.note(
            *(cursor, store.chain_of(self._node.subject), self._node, one.what, "DONE"),
            signed_in=False,
            about=one.about,
            details=msgspec.json.encode(details).decode(),
            reason=one.reason,
        )


async def _newest(cursor: Cursor, new: Sequence[Happened]) -> dict[tuple[str, str], Said]:
    rows = await store.newest(cursor, [one.what for one in new], [one.about for one in new])
    return {
        (what, about): msgspec.json.decode(details, type=_Details).after
        for what, about, details in rows
    }
