"""Signing in and sessions, as transactions of the security room's functions in the daemon's own
role.

Nobody is signed in yet when these run, so they are the few functions the daemon itself may execute.
What is written is replicated before it is said; every sign-in, refused or not, leaves its audit
entry. This file must not know passwords, tokens or sockets.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from mpowerd.audit.store import chain_of, note
from mpowerd.caller import Caller
from mpowerd.database import Cursor, Database
from mpowerd.seats import Asker, counter_of
from mpowerd.sessions import ABSOLUTE_S
from mpowerd.sign_in import Account
from mpowerd.strangers import Tally
from protocols.operation import Role
from protocols.refusals import Refused

ACCOUNT: Final = (
    "SELECT name, person, role, password_hash, disabled, secret FROM mpower.user_for_sign_in_v1(%s)"
)
SPEND: Final = "SELECT mpower.spend_code_v1(%s, %s)"
OPEN: Final = "SELECT mpower.open_session_v1(%s, %s, %s, %s, %s)"
LASTS: Final = timedelta(seconds=ABSOLUTE_S)
SESSION: Final = (
    "SELECT name, person, role, expires_at, factor FROM mpower.session_v1(%s, %s) WHERE alive"
)
END: Final = "SELECT mpower.end_session_v1(token, %s) FROM unnest(%s::bytea[]) token"
FIRST: Final = "SELECT mpower.first_admin_v1(%s, %s, %s)"
WORDS: Final = 200
"""Characters of a refusal's own words in its entry."""
ALIVE: Final = (
    "SELECT asked.token"
    " FROM unnest(%s::bytea[], %s::text[], %s::text[]) asked (token, subject, role),"
    " LATERAL mpower.session_v1(asked.token, asked.subject) s WHERE s.alive AND s.role = asked.role"
)


class People:
    """The people of one database; logins of the roles in ``second_factor`` work only with one."""

    def __init__(self, database: Database, second_factor: Collection[str] = ()) -> None:
        self._database, self._second_factor = database, frozenset(second_factor)

    def must_enrol(self, role: Role, *, has_one: bool) -> bool:
        """Say whether a login of that role can do nothing until it has a second factor."""
        return role.value in self._second_factor and not has_one

    async def account(self, user: str) -> Account | None:
        """Look a user up by the sign-in name."""

        async def work(cursor: Cursor) -> Account | None:
            row = await (await cursor.execute(ACCOUNT, (user,))).fetchone()
            if row is None:
                return None
            secret = None if row[5] is None else bytes(row[5])
            return Account(row[0], row[1], Role(row[2]), row[3], row[4], secret)

        return await self._database.read("sign-in: account", None, work)

    async def spend_code(self, user: str, step: int) -> bool:
        """Use the one-time code of a time step; False: it was used before."""

        async def work(cursor: Cursor) -> bool:
            row = await (await cursor.execute(SPEND, (user, step))).fetchone()
            return row is not None and bool(row[0])

        return await self._database.write("sign-in: code", None, work)

    async def open_session(self, caller: Caller) -> None:
        """Store a session and audit the sign-in; SIGN_IN_FAILED if just disabled."""

        async def work(cursor: Cursor) -> bool:
            asked = (caller.session, caller.user, caller.subject, caller.address)
            row = await (await cursor.execute(OPEN, (*asked, LASTS))).fetchone()
            stored = row is not None and bool(row[0])
            outcome = "DONE" if stored else "SIGN_IN_FAILED"
            await note(cursor, chain_of(caller.subject), caller, "security.sign_in", outcome)
            return stored

        if not await self._database.write("sign-in: session", None, work):
            raise Refused("SIGN_IN_FAILED", wait_s=30)

    async def resume(self, session: bytes, asker: Asker) -> tuple[Caller, int] | None:
        """Give whose session this is and the seconds it still lasts; None if it has ended."""

        async def work(cursor: Cursor) -> tuple[Caller, int] | None:
            row = await (await cursor.execute(SESSION, (session, asker.subject))).fetchone()
            if row is None:
                return None
            name, person, role, expires_at, factor = row
            left_s = int((expires_at - datetime.now(UTC)).total_seconds())
            bare = self.must_enrol(Role(role), has_one=factor)
            return _caller(name, person, Role(role), asker, session, must_enrol=bare), left_s

        found = await self._database.read("sign-in: resume", None, work)
        return found if found is not None and found[1] > 0 else None

    async def note_failed(self, user: str, asker: Asker, code: str) -> None:
        """Audit a sign-in that was refused."""
        await self._note(asker, user, "security.sign_in", code)

    async def note_displaced(self, newer: Asker, times: int) -> None:
        """Audit that newer connections of a certificate displaced older ones, so many times since
        the last such entry.
        """
        details = json.dumps({"times": times})
        await self._note(newer, newer.subject, "connection.displaced", "DONE", details)

    async def note_refused(self, door: Asker, tallies: Sequence[Tally], now_s: float) -> None:
        """Audit the handshakes that were refused at this door, one entry a reason."""
        caller = _caller("", "", Role.OPS, door)

        async def work(cursor: Cursor) -> None:
            chain = chain_of(door.subject)
            for one in tallies:
                said = {
                    "times": one.times,
                    "callers": one.callers,
                    "others": one.others,
                    "within_s": round(now_s - one.since_s),
                }
                await note(
                    *(cursor, chain, caller, "connection.refused", "REFUSED"),
                    signed_in=False,
                    about=one.why.value,
                    details=json.dumps(said),
                    reason=one.words[:WORDS],
                )

        await self._database.write("audit of refused handshakes", None, work)

    async def alive(self, callers: Sequence[Caller]) -> Collection[bytes]:
        """Give the sessions that still stand, in the role they were begun in."""

        async def work(cursor: Cursor) -> Collection[bytes]:
            tokens = [one.session for one in callers]
            subjects = [one.subject for one in callers]
            await cursor.execute(ALIVE, (tokens, subjects, [one.role.value for one in callers]))
            return {row[0] for row in await cursor.fetchall()}

        return await self._database.read("sessions: check", None, work)

    async def end(self, sessions: Sequence[bytes], why: str) -> None:
        """End sessions: ``why`` is SIGNED_OUT, REPLACED, IDLE, EXPIRED or AGAIN."""

        async def work(cursor: Cursor) -> None:
            await cursor.execute(END, (why, list(sessions)))

        await self._database.write(f"sessions: {why}", None, work)

    async def first_admin(self, user: str, person: str, password_hash: str) -> bool:
        """Add the first administrator, only while there is no user at all."""

        async def work(cursor: Cursor) -> bool:
            row = await (await cursor.execute(FIRST, (user, person, password_hash))).fetchone()
            made = row is not None and bool(row[0])
            asker = Asker("node/bootstrap", "")
            outcome = "DONE" if made else "USER_EXISTS"
            caller = _caller(user, person, Role.ADMIN, asker)
            await note(cursor, chain_of(asker.subject), caller, "security.first_admin", outcome)
            return made

        return await self._database.write("first administrator", None, work)

    async def _note(
        self, asker: Asker, user: str, what: str, outcome: str, details: str = ""
    ) -> None:
        async def work(cursor: Cursor) -> None:
            caller, chain = _caller(user, "", Role.OPS, asker), chain_of(asker.subject)
            await note(cursor, chain, caller, what, outcome, signed_in=False, details=details)

        await self._database.write(f"audit of {what}", None, work)


def _caller(
    user: str,
    person: str,
    role: Role,
    asker: Asker,
    session: bytes = b"",
    *,
    must_enrol: bool = False,
) -> Caller:
    counter = counter_of(asker.subject)
    return Caller(user, person, role, asker.subject, counter, asker.address, session, must_enrol)
