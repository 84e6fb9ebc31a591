"""From settings to a running link: the journal's place, the certificates, and the reactor for a
program that has none.

This file must not know what is asked over the link.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from twisted.internet.defer import CancelledError, ensureDeferred
from twisted.internet.error import ReactorNotRunning
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from clients.asking import Sitting
from clients.door import Ended, Exit, talk
from clients.insisting import Insisting, told
from clients.journal import Journal, JournalError
from clients.link import Link
from clients.renewing import Renewal
from config.settings import ClientSettings, split_address
from protocols.shell.tls import TlsFiles, utc_now

T = TypeVar("T")


def journal_path(settings: ClientSettings) -> Path:
    """Say where this machine's journal is: one file for each certificate."""
    folder = settings.journal if settings.journal is not None else Path.home() / ".mpower"
    return folder / f"{settings.cluster}-{settings.tls.certificate.stem}.journal"


def link_from(settings: ClientSettings, reactor: Any, clock: IReactorTime, **told: Any) -> Link:
    """Make the link of these settings; raises JournalError. ``told``: the callbacks of Link."""
    tls = settings.tls
    files = _files(settings)
    nodes = [split_address(one) for one in settings.nodes]
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


def _files(settings: ClientSettings) -> TlsFiles:
    tls = settings.tls
    return TlsFiles(tls.ca, tls.certificate, tls.key, tls.revoked)


def renewal_of(settings: ClientSettings, link: Link, say: Callable[[str], None]) -> Renewal:
    """Make what renews this machine's certificate over its link; ``say`` takes its warnings."""
    return Renewal(link, _files(settings), settings.renewal, say, utc_now)


def run_command(settings: ClientSettings, work: Callable[[Sitting], Awaitable[T]]) -> T:
    """Run a command's work: it ends with NotReachable or NoPrimary when nobody welcomes it, or
    nobody answers for too long. After it the machine's certificate is renewed, if that is due.
    """
    asking: list[Insisting] = []

    def ended() -> None:
        for one in asking:
            one.ended()

    async def reached(link: Link) -> T:
        await link.reached()
        asking.append(Insisting(link))
        done = await work(asking[0])
        await renewal_of(settings, link, talk).once()
        return done

    return run_link(settings, reached, on_notice=told, on_sign_in_needed=ended)


def run_link(settings: ClientSettings, work: Callable[[Link], Awaitable[T]], **callbacks: Any) -> T:
    """Run ``work`` over a link of these settings, from a program without a reactor; gives its
    result. ``callbacks``: those of Link. Ended(FAILED) if the journal cannot be used.

    It runs the reactor, which can be run once in a process. KeyboardInterrupt if it was stopped.
    """
    from protocols.shell.clock import BootClock

    async def whole(reactor: Any) -> T:
        try:
            link = link_from(settings, reactor, BootClock(), **callbacks)
        except JournalError as wrong:
            raise Ended(Exit.FAILED, str(wrong)) from wrong
        try:
            link.start()
            return await work(link)
        finally:
            link.stop()

    return _run(whole)


def _run(whole: Callable[[Any], Coroutine[Any, Any, T]]) -> T:
    """Run one coroutine from the reactor's start to its stop; a stop from outside cancels it."""
    from protocols.shell.bridge import install_reactor

    install_reactor(fast=False)
    from twisted.internet import reactor

    given: list[Any] = []

    def done(result: Any) -> None:
        given.append(result)
        with suppress(ReactorNotRunning):
            reactor.stop()

    def begin() -> None:
        working = ensureDeferred(whole(reactor))
        reactor.addSystemEventTrigger("before", "shutdown", working.cancel)
        working.addBoth(done)

    reactor.callWhenRunning(begin)
    reactor.run()
    (result,) = given
    if isinstance(result, Failure):
        if result.check(CancelledError):
            raise KeyboardInterrupt
        result.raiseException()
    end: T = result
    return end
