"""A command's way to do what changes something: patient, never silent, and never twice.

What is saved stays saved; a command only stops waiting, and says how to go on: by the same command
again. That one takes up what the earlier run left under its own key, so the board does it once, and
an answer that the earlier run never saw is not called a repetition. A session that ends in the
middle of it (it was idle, or the act wants a fresh sign-in) is begun anew by who sits there, and
what waits goes on. This file must not know how a link finds a server.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from msgspec import Struct
from twisted.internet.defer import CancelledError, Deferred, ensureDeferred

from clients.asking import Answer, Declined, NoPrimary, NotReachable
from clients.door import talk
from clients.journal import Entry
from clients.link import Link
from protocols import codec
from protocols.catalogue import CATALOGUE
from protocols.messages import Notice, Refusal, Session
from protocols.values import RequestKey

T = TypeVar("T")
CONFIRM_S: Final = 60.0
"""How long a command waits for an answer: far beyond any failover."""
SPEAK_S: Final = 1.5
"""Silence beyond this looks like a program that hangs."""
CONFIRMING: Final = "Saved, confirming…"
SAVED: Final = "It is saved, not confirmed yet: run the same command again to confirm it."
ASKING: Final = "Confirming…"
KEPT_NOWHERE: Final = (
    "It is not confirmed. A secret is kept on no disk, so nothing asks again by itself: run the"
    " same command again; if it was done already, the answer says so."
)


class Insisting:
    """A link as ``clients.asking.Asking``."""

    def __init__(self, link: Link, confirm_s: float = CONFIRM_S, speak_s: float = SPEAK_S) -> None:
        self._link, self._confirm_s, self._speak_s = link, confirm_s, speak_s
        self._left = [*link.journal.pending(), *link.journal.unshown()]
        self._again: Callable[[], Awaitable[None]] | None = None
        self._proving = False
        self._wrong: BaseException | None = None
        self._doing: Deferred[Any] | None = None

    async def sign_in(self, user: str, password: str, totp: str = "") -> Session:
        """Sign a person in for all that follows on this link."""
        self._link.patience.anew()  # who typed a password blocked everything meanwhile
        return await self._link.sign_in(user, password, totp)

    def on_ended(self, again: Callable[[], Awaitable[None]]) -> None:
        """Take what signs the person in again when the session ends in the middle of it."""
        self._again = again

    def ended(self) -> None:
        """The session is over: the person proves again who is there, then what waits goes on."""
        if self._again is not None and not self._proving:
            self._proving = True
            self._link.clock.callLater(0, ensureDeferred, self._prove(self._again))

    async def ask(self, operation: str, body: Struct) -> Any:
        """Ask what changes nothing; gives the reply's body."""
        return await self._waited(self._link.ask(operation, body))

    async def submit(self, operation: str, body: Struct, key: RequestKey | None = None) -> Answer:
        """Do what changes something, once; an earlier run's unseen answer is given as its own.

        Under a key made here a repetition is an attempt of ours whose answer was lost: nobody has
        seen it.
        """
        named = key is not None
        left = self._earlier(operation, body, key)
        if left is not None:
            key = codec.request_of(left.payload).key
        declared = CATALOGUE.get(operation)
        secret = declared is not None and declared.holds_secret
        waits, left_over = (ASKING, KEPT_NOWHERE) if secret else (CONFIRMING, SAVED)
        speaking = self._link.clock.callLater(self._speak_s, talk, waits)
        try:
            answer = await self._waited(self._link.submit(operation, body, key, self._confirm_s))
        except BaseException as wrong:
            if wrong is self._wrong or isinstance(wrong, NotReachable | NoPrimary | CancelledError):
                talk(left_over)
            elif isinstance(wrong, Declined):
                self._seen(left)
            raise
        finally:
            if speaking.active():
                speaking.cancel()
        first = answer.replay and self._seen(left)
        return Answer(answer.body, replay=named and answer.replay and not first)

    async def _waited(self, waiting: Deferred[T]) -> T:
        self._doing = waiting
        try:
            return await waiting
        except CancelledError:
            if self._wrong is None:
                raise
            raise self._wrong from None
        finally:
            self._doing = None

    async def _prove(self, again: Callable[[], Awaitable[None]]) -> None:
        try:
            await again()
        except BaseException as wrong:  # noqa: BLE001 - who waits is told, whatever it is
            self._wrong = wrong
            if self._doing is not None:
                self._doing.cancel()
        finally:
            self._proving = False

    async def pause(self, seconds: float) -> None:
        """Wait, while the link lives on."""
        await self._link.pause(seconds)

    def _earlier(self, operation: str, body: Struct, key: RequestKey | None) -> Entry | None:
        """Find what an earlier run left of this very work: under this key, or the same request."""
        declared = CATALOGUE.get(operation)
        assert declared is not None, f"{operation} is not declared"
        raw = bytes(codec.encode_body(declared, body))
        for entry in self._left:
            asked = codec.request_of(entry.payload)
            if (asked.operation, bytes(asked.body)) == (operation, raw) and key in {
                None,
                asked.key,
            }:
                return entry
        return None

    def _seen(self, left: Entry | None) -> bool:
        """Note that what an earlier run left has been said now; True if it was done by that run."""
        if left is None:
            return False
        self._left.remove(left)
        now = next((one for one in self._link.journal.unshown() if one.number == left.number), None)
        if now is None:
            return False
        self._link.journal.show(left.number)
        answer = codec.from_server(now.answer)
        return not isinstance(answer, Refusal) and not getattr(answer, "replay", True)


def told(notice: Notice | Refusal) -> None:
    """Say a server's notice beside the command's answer."""
    talk(notice.text if isinstance(notice, Notice) else notice.sentence)
