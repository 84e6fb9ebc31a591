"""Who is signed in, in this node's memory: the token's hash → the caller, checked against the
database all the time.

Invariants: a session the database no longer knows (ended, user disabled, role changed) is dead here
within five seconds, and if the database cannot be asked for that long, nobody passes. Idle time is
measured here and begins anew on a takeover; the absolute end is counted from what the database says
remains, on the monotonic clock, so no clock step extends it. The token itself is never kept. This
file must not know passwords, SQL or sockets.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from hashlib import sha256
from typing import Final

import structlog

from mpowerd.caller import Caller
from protocols.refusals import Refused

IDLE_S: Final = 15 * 60.0
ABSOLUTE_S: Final = 12 * 3600
FRESH_S: Final = 300.0
"""A sign-in is fresh for so long where the settings say nothing else."""
CHECK_EVERY_S: Final = 1.5
CHECKED_WITHIN_S: Final = 5.0
"""A disabled user's session is dead after this: CHECK_EVERY_S + the check's own time, else nobody
passes.
"""
LIMIT: Final = 20_000
"""Sessions in memory, 1 KB each; far above the terminals of a city."""


def session_of(token: bytes) -> bytes:
    """Give the hash a session is known by; the token itself is kept nowhere."""
    return sha256(token).digest()


class Live:
    """One session: whose, until when it lasts at most, when it was last used (monotonic)."""

    __slots__ = ("caller", "until_s", "used_s")

    def __init__(self, caller: Caller, until_s: float, used_s: float) -> None:
        self.caller, self.until_s, self.used_s = caller, until_s, used_s


class Sessions:
    """``alive`` asks the database which of these sessions still stand; ``end`` ends some there;
    ``clock`` is monotonic.
    """

    def __init__(
        self,
        alive: Callable[[Sequence[Caller]], Awaitable[Collection[bytes]]],
        end: Callable[[Sequence[bytes], str], Awaitable[None]],
        clock: Callable[[], float],
        fresh_s: float = FRESH_S,
    ) -> None:
        self._alive, self._end, self._clock = alive, end, clock
        self._fresh_s = fresh_s
        self._live: dict[bytes, Live] = {}
        self._checked_s = clock()
        self.ended: Callable[[bytes, str], None] = lambda _session, _code: None
        """Told the hash of every session that ended here, and the code of the refusal its person
        reads; the server closes what hangs on it.
        """

    def __len__(self) -> int:
        return len(self._live)

    def begin(self, caller: Caller, remaining_s: float) -> None:
        """Take in a session the database has just confirmed; raises Refused BUSY when there are too
        many.
        """
        if len(self._live) >= LIMIT and caller.session not in self._live:
            raise Refused("BUSY")
        now_s = self._clock()
        if not self._live:
            self._checked_s = now_s
        self._live[caller.session] = Live(caller, now_s + remaining_s, now_s)

    def caller(self, session: bytes) -> Caller:
        """Give who this is, and count it as use; raises Refused SIGN_IN_AGAIN, or BUSY while nobody
        can be checked.
        """
        now_s = self._clock()
        live = self._live.get(session)
        if live is None or now_s >= live.until_s or now_s - live.used_s >= IDLE_S:
            raise Refused("SIGN_IN_AGAIN")
        if now_s - self._checked_s > CHECKED_WITHIN_S:
            raise Refused("BUSY")
        live.used_s = now_s
        return live.caller

    def fresh(self, session: bytes) -> bool:
        """Whether its person signed in within ``fresh_s``; a resumed session is as old as it is."""
        live = self._live.get(session)
        return live is not None and ABSOLUTE_S - (live.until_s - self._clock()) <= self._fresh_s

    async def prove_again(self, session: bytes) -> None:
        """End a session whose person has to sign in anew for what they asked."""
        if session in self._live:
            self._drop(session, "PROVE_AGAIN")
            await self._end([session], "AGAIN")

    async def forget(self, session: bytes) -> None:
        """End a session because its person signed out."""
        if self._live.pop(session, None) is not None:
            await self._end([session], "SIGNED_OUT")

    async def check(self) -> None:
        """Ask the database about every session at once; end there the idle ones and those whose
        time is over. Called every CHECK_EVERY_S.
        """
        asked_s = self._clock()
        over = [one for one, live in self._live.items() if asked_s >= live.until_s]
        await self._spend(over, "EXPIRED", "SESSION_EXPIRED")
        idle = [one for one, live in self._live.items() if asked_s - live.used_s >= IDLE_S]
        await self._spend(idle, "IDLE", "SESSION_IDLE")
        asked = [live.caller for live in self._live.values()]
        alive = await self._alive(asked) if asked else ()
        self._checked_s = asked_s
        for session in {one.session for one in asked}.difference(alive):
            self._drop(session)

    async def _spend(self, spent: Sequence[bytes], why: str, code: str) -> None:
        for session in spent:
            self._drop(session, code)
        if spent:
            await self._end(spent, why)

    def clear(self) -> None:
        """Forget all: this node is no longer the primary; the sessions live on in the database."""
        self._live.clear()

    def _drop(self, session: bytes, code: str = "SIGN_IN_AGAIN") -> None:
        live = self._live.pop(session, None)
        if live is not None:
            structlog.get_logger().info(
                "session ended", user=live.caller.user, subject=live.caller.subject
            )
            self.ended(session, code)
