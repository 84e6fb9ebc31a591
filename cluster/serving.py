"""Runs one service of the cluster as a process: reactor, start, SIGTERM, exit code.

Invariant: the process ends after its service has stopped, never before, and with a code that says
how: 0 asked to, 1 it could not start (with the sentence on stderr), 70 a fault. It must not know
what the service does.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol

from cluster.durable import NotOursError
from cluster.postgres.troubles import PostgresTroubleError
from cluster.pulse import Pulse
from cluster.supervisor import Supervisor
from protocols.shell.bridge import install_reactor, to_deferred
from protocols.shell.clock import BootClock

STARTED, NOT_STARTED, FAULT = 0, 1, 70
"""70 is the code for an internal error in sysexits: a supervisor may start the process again."""
EXPECTED: Final = (NotOursError, PostgresTroubleError, OSError)


class Service(Protocol):
    """What can be stopped."""

    async def stop(self) -> None:
        """End; bounded."""


class Ending:
    """How the process ends. ``fault`` may be called from anywhere on the loop."""

    def __init__(self) -> None:
        self.code = STARTED
        self._reactor: Any = None

    def attach(self, reactor: Any) -> None:
        """From now on a fault stops this reactor."""
        self._reactor = reactor

    def fault(self, reason: str) -> None:
        """The service has ended by itself."""
        self.say(FAULT, reason)

    def say(self, code: int, reason: str) -> None:
        """End with this code, and say why."""
        self.code = code
        sys.stderr.write(f"{reason}\n")
        if self._reactor is not None and self._reactor.running:
            self._reactor.stop()


def serve(begin: Callable[[Any, Ending], Awaitable[Service]], *, fast: bool = True) -> int:
    """Install a reactor, begin the service on it, run until it ends; the exit code."""
    install_reactor(fast=fast)
    from twisted.internet import reactor  # noqa: PLC0415 - it exists only now

    ending = Ending()
    ending.attach(reactor)
    services: list[Service] = []
    supervisor = Supervisor()

    async def start() -> None:
        try:
            services.append(await begin(reactor, ending))
            supervisor.ready()
        except EXPECTED as trouble:
            ending.say(NOT_STARTED, str(trouble))
        except Exception as wrong:  # noqa: BLE001 - said, and the process ends
            ending.say(FAULT, f"{type(wrong).__name__}: {wrong}")

    async def stop() -> None:
        supervisor.stopping()
        for service in services:
            await service.stop()

    reactor.addSystemEventTrigger("before", "shutdown", lambda: to_deferred(stop()))
    reactor.callWhenRunning(lambda: to_deferred(start()))
    reactor.callWhenRunning(lambda: watched(supervisor, ending))
    reactor.run()
    return ending.code


def watched(supervisor: Supervisor, ending: Ending) -> None:
    """Feed the supervisor's watchdog, if there is one, for as long as the loop turns."""
    if supervisor.feed_s:
        feed = Pulse(
            "watchdog",
            BootClock(),
            lambda: supervisor.feed_s,
            lambda _late_s: supervisor.alive(),
            lambda name, wrong: ending.fault(f"{name}: {wrong}"),
        )
        supervisor.alive()
        feed.start()
