"""From settings to a running link: the journal's place, the certificates, and the reactor for a
program that has none.

This file must not know what is asked over the link.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from twisted.internet.defer import CancelledError, ensureDeferred
from twisted.internet.error import ReactorNotRunning
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from clients.door import Ended, Exit
from clients.journal import Journal, JournalError
from clients.link import Link
from config.settings import ClientSettings
from protocols.shell.tls import TlsFiles

T = TypeVar("T")


def journal_path(settings: ClientSettings) -> Path:
    """Say where this machine's journal is: one file for each certificate."""
    folder = settings.journal if settings.journal is not None else Path.home() / ".mpower"
    return folder / f"{settings.cluster}-{settings.tls.certificate.stem}.journal"


def link_from(settings: ClientSettings, reactor: Any, clock: IReactorTime, **told: Any) -> Link:
    """Make the link of these settings; raises JournalError. ``told``: the callbacks of Link."""
    tls = settings.tls
    files = TlsFiles(tls.ca, tls.certificate, tls.key, tls.revoked)
    nodes = [_split(one) for one in settings.nodes]
    journal = Journal(journal_path(settings))
    principal = tls.certificate.stem.startswith("bank-")
    return Link(
        nodes,
        files,
        settings.cluster,
        journal,
        reactor=reactor,
        clock=clock,
        principal=principal,
        **told,
    )


def run_link(
    settings: ClientSettings,
    work: Callable[[Link], Awaitable[T]],
    *,
    reach_first: bool = True,
    **told: Any,
) -> T:
    """Run ``work`` over a link of these settings, from a program without a reactor; gives its
    result. ``told``: the callbacks of Link.

    ``reach_first``: a command ends with NotReachable or NoPrimary when nobody welcomes it; a
    counter begins to work all the same, and saves. Ended(FAILED) if the journal cannot be used.

    It runs the reactor, which can be run once in a process. KeyboardInterrupt if it was stopped.
    """
    from protocols.shell.bridge import install_reactor
    from protocols.shell.clock import BootClock

    install_reactor(fast=False)
    from twisted.internet import reactor

    given: list[Any] = []

    async def whole() -> None:
        try:
            link = link_from(settings, reactor, BootClock(), **told)
        except JournalError as wrong:
            raise Ended(Exit.FAILED, str(wrong)) from wrong
        try:
            link.start()
            if reach_first:
                await link.reached()
            given.append(await work(link))
        finally:
            link.stop()

    def done(result: Any) -> None:
        if isinstance(result, Failure):
            given.append(result)
        with suppress(ReactorNotRunning):
            reactor.stop()

    def begin() -> None:
        working = ensureDeferred(whole())
        reactor.addSystemEventTrigger("before", "shutdown", working.cancel)
        working.addBoth(done)

    reactor.callWhenRunning(begin)
    reactor.run()
    if isinstance(given[-1], Failure):
        if given[-1].check(CancelledError):
            raise KeyboardInterrupt
        given[-1].raiseException()
    result: T = given[-1]
    return result


def _split(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)
