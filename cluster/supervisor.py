"""What the system's supervisor is told: ready, still alive, stopping (the sd_notify protocol).

systemd starts a ``Type=notify`` service with the address of a datagram socket in its environment;
each message is a few lines ``NAME=value``. The watchdog is fed by the loop itself, so that a loop
that stands still is ended from outside, PostgreSQL with it, and the standby takes over. Without a
supervisor nothing is sent. Nothing here may raise: a supervisor that is gone is no reason to stop
serving. It must not know what the service does.
Source: sd_notify(3), the section on the protocol.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

FEEDINGS: Final = 3
"""The watchdog is fed so many times within its limit: two may come late before it bites."""


class Supervisor:
    """Speaks to whoever started this process. ``environment`` is the process's own, as a rule.

    ``feed_s``: how often ``alive`` is to be called, in seconds; 0 when nobody watches.
    """

    def __init__(self, environment: Mapping[str, str] = os.environ, pid: int | None = None) -> None:
        where = environment.get("NOTIFY_SOCKET", "")
        # A leading @ is Linux's abstract namespace, whose names begin with a zero byte.
        self._where = "\0" + where[1:] if where.startswith("@") else where
        self.feed_s = self._limit_s(environment, os.getpid() if pid is None else pid) / FEEDINGS

    def _limit_s(self, environment: Mapping[str, str], pid: int) -> float:
        """The watchdog's limit, if it watches this process."""
        watched = environment.get("WATCHDOG_PID", str(pid)) == str(pid)
        limit = environment.get("WATCHDOG_USEC", "")
        return int(limit) / 1e6 if self._where and watched and limit.isdecimal() else 0.0

    def ready(self) -> None:
        """The service has begun: whoever waited for it may go on."""
        self._say("READY=1")

    def alive(self) -> None:
        """The loop turns."""
        self._say("WATCHDOG=1")

    def stopping(self) -> None:
        """Asked to end, and ending."""
        self._say("STOPPING=1")

    def _say(self, line: str) -> None:
        if not self._where:
            return
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one:
            one.setblocking(False)
            one.sendto(line.encode(), self._where)
