"""The rooms' operations as the dispatch calls them: one transaction each, in the caller's role,
with its key.

Reads run alone; a keyed operation goes through its key; a permission refusal is stored under the
key or, without one, audited: no audit, no answer. Which functions are served comes in by the door;
this file must not know any room.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from msgspec import Struct

from mpowerd.audit.store import chain_of, note
from mpowerd.caller import Caller
from mpowerd.database import Cursor, Database
from mpowerd.dispatch import Asked
from mpowerd.jurisdiction import check_office
from mpowerd.keys import earlier, fingerprint, keyed, refuse_key
from mpowerd.outcomes import Outcome
from protocols.codec import encode_reply
from protocols.refusals import Refused

Serve = Callable[[Cursor, Caller, Any], Awaitable[Struct]]
PERMISSION: Final = frozenset({"OUT_OF_OFFICE"})
"""What a look is refused with in its own transaction, for want of a right: audited beside it."""
Fingerprint = Callable[[Any], bytes]
REPORTS: Final = 2
"""At once: each holds one of the pool's connections for seconds, and payments need the others."""
REPORT_DEADLINE_S: Final = 25.0
"""Below the patience of a link (30 s): who asks hears that it is too much, not nothing."""


class ServedRooms:
    """``served`` by operation name; ``fingerprints`` where the intent is not the body's bytes;
    ``done`` hears of every keyed operation that was carried out.
    """

    def __init__(
        self,
        database: Database,
        served: Mapping[str, Serve],
        fingerprints: Mapping[str, Fingerprint],
        done: Callable[[str], None],
    ) -> None:
        self._database, self._served = database, served
        self._fingerprints, self._done = fingerprints, done
        self._reports = asyncio.Semaphore(REPORTS)

    async def read(self, asked: Asked) -> Outcome:
        """Serve an operation that changes nothing."""
        serve, caller = self._served[asked.operation.name], asked.caller

        async def work(cursor: Cursor) -> Struct:
            await check_office(cursor, caller, asked.operation, asked.body)
            return await serve(cursor, caller, asked.body)

        try:
            reply = await self._look(asked, work)
        except Refused as refused:
            if refused.code in PERMISSION:
                await self.note_refusal(asked, refused)
            raise
        return Outcome(bytes(encode_reply(asked.operation, reply)), None, replay=False)

    async def _look(self, asked: Asked, work: Callable[[Cursor], Awaitable[Struct]]) -> Struct:
        name, role, session = asked.operation.name, asked.caller.role, asked.caller.session
        if not asked.operation.report:
            return await self._database.read(name, role, work, session=session)
        if self._reports.locked():
            raise Refused("BUSY")
        async with self._reports:
            return await self._database.read(name, role, work, REPORT_DEADLINE_S, session)

    async def write(self, asked: Asked) -> Outcome:
        """Serve a keyed operation, or give its key's earlier outcome."""
        assert asked.key is not None, asked.operation.name
        name = asked.operation.name
        serve = self._served[name]
        outcome = await keyed(
            self._database, asked.caller, asked.key, name, asked.raw, asked.body, serve
        )
        if outcome.reply is not None and not outcome.replay:
            self._done(name)
        return outcome

    async def refuse_key(self, asked: Asked, refused: Refused) -> Outcome:
        """Give the key's earlier outcome, or store and audit this refusal as its outcome."""
        key, name, caller = asked.key, asked.operation.name, asked.caller
        assert key is not None, name
        print_of = self._fingerprint(asked)

        async def work(cursor: Cursor) -> Outcome:
            return await refuse_key(
                cursor, caller, key, name, print_of, refused.code, refused.fields
            )

        return await self._database.write(
            f"{name} refused", caller.role, work, session=caller.session
        )

    async def recall(self, asked: Asked, refused: Refused) -> Outcome:
        """Give the key's earlier outcome; where there is none do nothing, audit this refusal and
        raise it: the key stays free.
        """
        key, name, caller = asked.key, asked.operation.name, asked.caller
        assert key is not None, name
        print_of = self._fingerprint(asked)

        async def work(cursor: Cursor) -> Outcome | None:
            return await earlier(cursor, caller, key, name, print_of)

        found = await self._database.write(
            f"{name} recalled", caller.role, work, session=caller.session
        )
        if found is None:
            await self.note_refusal(asked, refused)
            raise refused
        return found

    def _fingerprint(self, asked: Asked) -> bytes:
        own = self._fingerprints.get(asked.operation.name)
        if own is not None:
            return own(asked.body)
        return fingerprint(asked.operation.name, asked.raw, asked.body)

    async def note_refusal(self, asked: Asked, refused: Refused) -> None:
        """Audit a permission refusal that has no key."""
        await self.audit(asked.caller, asked.operation.name, refused.code)

    async def audit(self, caller: Caller, what: str, outcome: str) -> None:
        """Leave an audit entry of its own."""

        async def work(cursor: Cursor) -> None:
            await note(cursor, chain_of(caller.subject), caller, what, outcome)

        await self._database.write(f"audit of {what}", caller.role, work)
