"""What a person may do to a running demo: kill, stop, freeze and heal a service.

``kill`` is a power cut: the daemon, its PostgreSQL and every backend die at once, nothing says
good-bye. ``stop`` asks politely. ``freeze`` stops the whole family's clocks, ``heal`` brings back
what was killed or frozen. Only processes this demo started are ever signalled, each by pid and
start time.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Sequence

from clients.demo.running import Process, family


def kill(service: Process, moment: Callable[[], None] = lambda: None) -> list[Process]:
    """SIGKILL the whole family, the daemon first, as soon as ``moment`` returns; return who was
    hit.
    """
    members = family(service)
    moment()
    return [one for one in members if one.send(signal.SIGKILL)]


def stop(service: Process) -> bool:
    """Ask the daemon to stop (SIGTERM); it hands over and stops its PostgreSQL itself."""
    return service.send(signal.SIGTERM)


def freeze(service: Process) -> list[Process]:
    """SIGSTOP the whole family; return who was frozen, to be thawed later."""
    return [one for one in family(service) if one.send(signal.SIGSTOP)]


def thaw(members: Sequence[Process]) -> None:
    """SIGCONT those who were frozen, the daemon last, so that it wakes among living children."""
    for one in reversed(members):
        one.send(signal.SIGCONT)


def gone(members: Sequence[Process], deadline_s: float) -> bool:
    """Wait until all of these are gone; False if the deadline passed first."""
    end = time.monotonic() + deadline_s
    while any(one.alive() for one in members):
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True
