"""What a command needs of the link to the pair, and how it ends when there is no answer to show.

The link finds the primary, journals, re-sends; a command only signs in, asks and submits. A submit
may bring its own key: work that comes from a file derives it from its content, so that doing the
same file again changes nothing. This file must not know how a link works.
"""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol, TypeVar

import click
from msgspec import Struct, msgpack

from clients.door import Ended, Exit, client_settings
from clients.journal import JournalError
from config.settings import ClientSettings
from protocols.values import RequestKey

T = TypeVar("T")
ATTEMPTS: Final = 50
"""Of one content, over all days: each earlier refusal costs a question on the way to the next."""


class Answer(Struct, frozen=True):
    """A definitive good answer: its body, and whether the key was answered before (nothing new was
    done).
    """

    body: Any
    replay: bool = False


class Declined(Exception):  # noqa: N818 - a refusal is an answer, not an error
    """The server's definitive no: a code of protocols.refusals and the sentence a person reads.

    ``replay``: the key was refused before, this is that answer again.
    """

    def __init__(self, code: str, sentence: str, *, replay: bool = False) -> None:
        self.code, self.sentence, self.replay = code, sentence, replay
        super().__init__(f"{code}: {sentence}")


class NotReachable(Exception):  # noqa: N818 - named by what a person meets
    """No server answered within the link's patience."""


class NoPrimary(Exception):  # noqa: N818 - named by what a person meets
    """Servers answered, but none of them is the primary."""


class Asking(Protocol):
    """The link as a command sees it. Raises Declined, NotReachable or NoPrimary."""

    def sign_in(self, user: str, password: str, totp: str = "") -> Awaitable[Any]:
        """Sign a person in for all that follows on this link."""

    def ask(self, operation: str, body: Struct) -> Awaitable[Any]:
        """Ask what changes nothing; gives the reply's body."""

    def submit(
        self, operation: str, body: Struct, key: RequestKey | None = None
    ) -> Awaitable[Answer]:
        """Do what changes something, once, under that key (a fresh one of this link if None)."""

    def pause(self, seconds: float) -> Awaitable[None]:
        """Wait, while the link lives on."""


class Sitting(Asking, Protocol):
    """The link of a command at which a person sits, who can be asked again."""

    def on_ended(self, again: Callable[[], Awaitable[None]]) -> None:
        """Take what signs the person in again when the session ends in the middle of it."""


async def submit_file(
    link: Asking, operation: str, body: Struct, scope: str, number: int = 1
) -> Answer:
    """Do part ``number`` (from 1) of a file's work once: the same content gets the same answer
    again, from any machine.

    A refusal is for ever under its key, but what it complained of may be cured (the day is open
    now). So an attempt that was refused earlier is followed by the next, under a key of its own;
    one that was carried out is found on the way and answered as it was. Raises Declined.
    """
    content = msgpack.encode(body)
    for attempt in range(1, ATTEMPTS):
        try:
            return await link.submit(operation, body, _key(scope, content, number, attempt))
        except Declined as no:
            if not no.replay:
                raise
    return await link.submit(operation, body, _key(scope, content, number, ATTEMPTS))


def _key(scope: str, content: bytes, number: int, attempt: int) -> RequestKey:
    digest = hashlib.sha256()
    for part in (scope.encode(), content, str(attempt).encode()):
        digest.update(len(part).to_bytes(8, "big") + part)
    return RequestKey(digest.digest()[:16], number)


def runner() -> Callable[[ClientSettings, Callable[[Sitting], Awaitable[T]]], T]:
    """Give what runs work over a link: what the command line was given as its object, else the
    real link, whose Twisted and TLS are loaded only now.
    """
    given = click.get_current_context().find_root().obj
    found: Callable[[ClientSettings, Callable[[Sitting], Awaitable[T]]], T]
    found = given or importlib.import_module("clients.running").run_command
    return found


def reach(work: Callable[[Sitting], Awaitable[T]], kind: str = "", name: str | None = None) -> T:
    """Run ``work`` over a link made from this command line's settings; Ended with the right exit
    code if it cannot.
    """
    settings = client_settings(kind, name)
    nodes = ", ".join(settings.nodes)
    try:
        return runner()(settings, work)
    except Declined as no:
        raise Ended(Exit.REFUSED, f"{no.code}: {no.sentence}") from no
    except JournalError as wrong:
        raise Ended(Exit.FAILED, str(wrong)) from wrong
    except NotReachable as wrong:
        raise Ended(
            Exit.NOT_REACHABLE, f"No server answers at {nodes} ({wrong}). Check cable and servers."
        ) from wrong
    except NoPrimary as wrong:
        raise Ended(
            Exit.NO_PRIMARY,
            f"Neither of {nodes} is the primary ({wrong}). 'mpower cluster status' says why.",
        ) from wrong
