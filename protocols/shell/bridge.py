"""The one place where Twisted and asyncio cross: a coroutine as a Deferred, a Deferred as a future,
and the reactor.

Twisted runs on the asyncio loop, so both worlds share one thread and no call is copied. An asyncio
cancel surfaces as ``asyncio.CancelledError``, a BaseException that Twisted's error paths do not
expect: it is translated here into Twisted's own CancelledError. Awaiting asyncio inside
``Deferred.fromCoroutine`` raises: cross here. It must not know who waits.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Awaitable, Coroutine
from typing import Any, TypeVar

from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure

T = TypeVar("T")


def install_reactor(*, fast: bool = True) -> asyncio.AbstractEventLoop:
    """Install Twisted's asyncio reactor, once, before anything imports
    ``twisted.internet.reactor``.

    ``fast``: on uvloop where it exists (servers); clients run the stock loop. The loop is set as
    the thread's current one first: otherwise futures hang silently.
    """
    from twisted.internet import asyncioreactor  # noqa: PLC0415 - importing it is harmless, naming why is not

    loop = new_loop(fast=fast)
    asyncio.set_event_loop(loop)
    asyncioreactor.install(loop)
    if fast and sys.platform != "win32":
        _hear_of_children(loop)
    return loop


def _hear_of_children(loop: asyncio.AbstractEventLoop) -> None:
    """Reap children when they end: uvloop keeps for itself the file descriptor by which Twisted
    would hear of it, and a child's end would go unnoticed for ever.
    """
    from twisted.internet import process, reactor  # noqa: PLC0415 - the reactor exists only now

    def child_ended(*_: object) -> None:
        loop.call_soon_threadsafe(process.reapAllProcesses)

    # After Twisted's own start, which sets a handler that does nothing.
    reactor.callWhenRunning(signal.signal, signal.SIGCHLD, child_ended)


def to_deferred(coroutine: Coroutine[Any, Any, T]) -> Deferred[T]:
    """Run a coroutine on the loop; cancelling the Deferred cancels the task."""
    task = asyncio.ensure_future(coroutine, loop=_loop())
    crossed: Deferred[T] = Deferred.fromFuture(task)
    return crossed.addErrback(_translate)


def to_future(waited: Deferred[T]) -> asyncio.Future[T]:
    """Give a Deferred to asyncio; cancelling the future cancels the Deferred."""
    return waited.asFuture(_loop())


async def to_asyncio(waited: Deferred[T]) -> T:
    """Await a Deferred from a coroutine of asyncio; Twisted's cancel becomes asyncio's."""
    try:
        return await to_future(waited)
    except CancelledError:
        raise asyncio.CancelledError from None


def to_twisted(waited: Awaitable[T]) -> Deferred[T]:
    """Await something of asyncio from a coroutine of Twisted."""

    async def wait() -> T:
        return await waited

    return to_deferred(wait())


def _translate(failure: Failure) -> Failure:
    if failure.check(asyncio.CancelledError):
        return Failure(CancelledError())
    return failure


def _loop() -> asyncio.AbstractEventLoop:
    return asyncio.get_event_loop_policy().get_event_loop()


def new_loop(*, fast: bool) -> asyncio.AbstractEventLoop:
    """Make the loop of a server (``fast``) or of a client."""
    if sys.platform == "win32":
        return asyncio.SelectorEventLoop()
    if fast:
        from protocols.shell.loop import SteadyLoop  # noqa: PLC0415 - other systems have no uvloop

        return SteadyLoop()
    return asyncio.new_event_loop()
