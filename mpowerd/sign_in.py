"""Signing in: password → session, token → session. The same words and the same time whoever was
asked for.

Order: the pair's delay → the user's pause, where their password is being guessed at → the password
(always checked, known user or not) → disabled → the second factor, where the login has one: asked
for only behind the right password, each code once → may this role sit here → a new 128-bit token
whose hash goes into the replicated database → the memory of sessions. Every failure is audited
before it is said. A resumed token must come from the certificate it was made at. This file must not
know SQL, threads or sockets.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from msgspec import Struct

from mpowerd.attempts import FIRST_WAIT_S, Attempts
from mpowerd.caller import Caller
from mpowerd.passwords import Passwords
from mpowerd.seats import Asker, check_role, counter_of
from mpowerd.security.rules import step_of
from mpowerd.sessions import ABSOLUTE_S, Sessions, session_of
from protocols.messages import Resume, Session, SignIn
from protocols.operation import Role
from protocols.refusals import Refused

TOKEN_BYTES = 16


class Account(Struct, frozen=True):
    """A user as the sign-in needs it."""

    user: str
    person: str
    role: Role
    password_hash: str
    disabled: bool
    secret: bytes | None = None
    """Of the second factor; None: the login has none."""


class People(Protocol):
    """What the security room does for signing in; each is one transaction, the writing ones are
    replicated.
    """

    async def account(self, user: str) -> Account | None:
        """Look a user up by the sign-in name."""

    def must_enrol(self, role: Role, *, has_one: bool) -> bool:
        """Say whether a login of that role can do nothing until it has a second factor."""

    async def spend_code(self, user: str, step: int) -> bool:
        """Use the one-time code of a time step; False: it was used before."""

    async def open_session(self, caller: Caller) -> None:
        """Store a session and audit the sign-in."""

    async def resume(self, session: bytes, asker: Asker) -> tuple[Caller, int] | None:
        """Give whose session this is and the seconds it still lasts; None if it has ended."""

    async def note_failed(self, user: str, asker: Asker, code: str) -> None:
        """Audit a sign-in that was refused."""


class SignIns:
    """``randomness`` gives that many unguessable bytes; ``clock`` is monotonic, ``wall`` gives Unix
    seconds: one-time codes count by it, nothing else; ``pause`` waits that many seconds.
    """

    def __init__(
        self,
        people: People,
        passwords: Passwords,
        sessions: Sessions,
        clock: Callable[[], float],
        randomness: Callable[[int], bytes],
        wall: Callable[[], float],
        pause: Callable[[float], Awaitable[None]],
    ) -> None:
        self._people, self._passwords, self._sessions = people, passwords, sessions
        self._clock, self._randomness = clock, randomness
        self._wall, self._pause = wall, pause
        self._attempts = Attempts()

    async def sign_in(self, asker: Asker, claim: SignIn) -> Session:
        """Give a new session; raises Refused SIGN_IN_LOCKED, SIGN_IN_FAILED, CODE_NEEDED,
        CODE_WRONG, CERTIFICATE_ROLE or BUSY.
        """
        wait_s = self._attempts.wait_s(claim.user, asker.subject, self._clock())
        if wait_s > 0:
            await self._people.note_failed(claim.user, asker, "SIGN_IN_LOCKED")
            raise Refused("SIGN_IN_LOCKED", wait_s=wait_s)
        if pause_s := self._attempts.pause_s(claim.user, self._clock()):
            await self._pause(pause_s)
        account = await self._people.account(claim.user)
        stored = None if account is None else account.password_hash
        right = await self._passwords.matches(claim.password, stored)
        if not right or account is None or account.disabled:
            self._attempts.failed(claim.user, asker.subject, self._clock())
            await self._people.note_failed(claim.user, asker, "SIGN_IN_FAILED")
            raise Refused("SIGN_IN_FAILED", wait_s=FIRST_WAIT_S)
        await self._second_factor(asker, claim, account)
        try:
            check_role(asker.subject, account.role)
        except Refused as refused:
            await self._people.note_failed(claim.user, asker, refused.code)
            raise
        self._attempts.succeeded(claim.user, asker.subject, self._clock())
        token = self._randomness(TOKEN_BYTES)
        caller = Caller(
            user=account.user,
            person=account.person,
            role=account.role,
            subject=asker.subject,
            counter=counter_of(asker.subject),
            address=asker.address,
            session=session_of(token),
            must_enrol=self._people.must_enrol(account.role, has_one=account.secret is not None),
        )
        await self._people.open_session(caller)
        self._sessions.begin(caller, ABSOLUTE_S)
        return Session(token, caller.user, caller.role, ABSOLUTE_S)

    async def _second_factor(self, asker: Asker, claim: SignIn, account: Account) -> None:
        """Refuse CODE_NEEDED, or CODE_WRONG for a code that does not fit or was used before."""
        if account.secret is None:
            return
        if not claim.totp:
            await self._people.note_failed(claim.user, asker, "CODE_NEEDED")
            raise Refused("CODE_NEEDED")
        step = step_of(account.secret, claim.totp, self._wall())
        if step is None or not await self._people.spend_code(account.user, step):
            self._attempts.failed(claim.user, asker.subject, self._clock())
            await self._people.note_failed(claim.user, asker, "CODE_WRONG")
            raise Refused("CODE_WRONG")

    async def resume(self, asker: Asker, claim: Resume) -> Session:
        """Take a session up again, here or after a failover; raises Refused SIGN_IN_AGAIN."""
        session = session_of(claim.token)
        found = await self._people.resume(session, asker)
        if found is None or found[0].subject != asker.subject:
            await self._people.note_failed("", asker, "SIGN_IN_AGAIN")
            raise Refused("SIGN_IN_AGAIN")
        caller, remaining_s = found
        try:
            check_role(asker.subject, caller.role)
        except Refused:
            await self._people.note_failed(caller.user, asker, "SIGN_IN_AGAIN")
            raise Refused("SIGN_IN_AGAIN") from None
        self._sessions.begin(caller, remaining_s)
        return Session(claim.token, caller.user, caller.role, remaining_s)
