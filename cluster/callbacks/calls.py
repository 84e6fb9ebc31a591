"""Which program is run for what happens, one at a time for each event, in order.

Invariants: the node never waits for a program: each runs in a thread of its own kind, so that a
hung one takes no thread of the disk or of PostgreSQL; a queue is bounded and what does not fit is
told; a program that fails raises an alarm and never calls itself for that. It must not know what a
happening means.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final

from cluster.callbacks.program import Ended, Program
from cluster.chronicle import Chronicle
from cluster.happening import Happening
from config.watching import CallbacksSettings

QUEUE: Final = 16
"""Calls of one event that wait for the one before: more is a program too slow for its event."""
TAIL: Final = 200
"""Characters of a program's last words in an alarm; the log has more."""
PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ALARM: Final = "callback-failed"
EVENT_OF: Final = {"alarm-ended": "alarm"}
"""Whoever hears of alarms hears of their end."""


def programs_of(said: CallbacksSettings) -> dict[str, str]:
    """Event → program, of those that are set."""
    events = {
        "role": said.role,
        "gate": said.gate,
        "solo": said.solo,
        "sync": said.sync,
        "takeover": said.takeover,
        "alarm": said.alarm,
    }
    return {event: program for event, program in events.items() if program is not None}


class Calls:
    """``programs``: event → absolute path. ``heard`` takes every happening of the node."""

    def __init__(
        self, programs: Mapping[str, str], cluster: str, chronicle: Chronicle, deadline_s: float
    ) -> None:
        self._programs = dict(programs)
        self._cluster = cluster
        self._chronicle = chronicle
        self._deadline_s = deadline_s
        self._waiting: dict[str, deque[Happening]] = {event: deque() for event in programs}
        self._running: dict[str, tuple[Program, asyncio.Future[Ended]]] = {}
        self._failed: dict[str, str] = {}
        self._threads = ThreadPoolExecutor(max(1, len(programs)), "callback")
        self._closed = False

    def heard(self, happening: Happening) -> None:
        """Queue the program of this event, if there is one."""
        event = EVENT_OF.get(happening.kind, happening.kind)
        waiting = self._waiting.get(event)
        if waiting is None or happening.alarm == ALARM or self._closed:
            return
        if len(waiting) >= QUEUE:
            waiting.popleft()
            self._fails(event, f"it is too slow: {QUEUE} calls waited, the oldest is dropped")
        waiting.append(happening)
        self._next(event)

    async def close(self, within_s: float) -> None:
        """Let what is queued end within this time (the last gate shut is a call too), then kill."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + within_s
        while self._running and loop.time() < until_s:
            runs = [run for _, run in self._running.values()]
            await asyncio.wait(runs, timeout=max(0.0, until_s - loop.time()))
            await asyncio.sleep(0)  # their callbacks start what comes next
        self._closed = True
        for program, _ in self._running.values():
            program.kill()
        await asyncio.gather(*(run for _, run in self._running.values()), return_exceptions=True)
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _next(self, event: str) -> None:
        waiting = self._waiting[event]
        if event in self._running or not waiting or self._closed:
            return
        happening = waiting.popleft()
        environment = environment_of(happening, self._cluster)
        program = Program(self._programs[event], environment, self._deadline_s)
        run = asyncio.get_running_loop().run_in_executor(self._threads, program.run)
        self._running[event] = (program, run)
        run.add_done_callback(partial(self._ended, event, happening))

    def _ended(self, event: str, happening: Happening, run: asyncio.Future[Ended]) -> None:
        del self._running[event]
        wrong = run.exception()
        if wrong is not None:
            self._fails(event, f"it could not be run ({wrong})")
        else:
            self._judge(event, happening, run.result())
        self._next(event)

    def _judge(self, event: str, happening: Happening, ended: Ended) -> None:
        path = Path(self._programs[event]).name
        took = f"{ended.took_s:.1f} s"
        if ended.good:
            self._chronicle.note(f"Called {path} for {happening.kind}: done in {took}.")
            self._works(event)
            return
        if ended.late:
            why = f"it was killed after {self._deadline_s:g} s"
        elif ended.code is None:
            why = "it could not be started"
        else:
            why = f"it ended with {ended.code}"
        self._fails(event, f"{why}: {ended.said[-TAIL:]}" if ended.said else why)

    def _fails(self, event: str, why: str) -> None:
        self._failed[event] = f"callbacks.{event} ({self._programs[event]}): {why}."
        self._chronicle.note(f"Calling for {event} failed: {why}.")
        self._alarm()

    def _works(self, event: str) -> None:
        if self._failed.pop(event, None) is not None:
            self._alarm()

    def _alarm(self) -> None:
        self._chronicle.alarm("callback-failed", " ".join(self._failed.values()))


def environment_of(happening: Happening, cluster: str) -> dict[str, str]:
    """What a program is told: only this, and a path to find others."""
    said = {
        "EVENT": happening.kind,
        "CLUSTER": cluster,
        "NODE": happening.node,
        "STATE": happening.state,
        "WAS": happening.was,
        "ROLE": happening.role,
        "GATE": "open" if happening.open else "shut",
        "COPIES": str(happening.copies),
        "EPOCH": str(happening.epoch),
        "TERM": str(happening.term),
        "PRIMARY": happening.primary,
        "ALARM": happening.alarm,
        "REASON": happening.text,
    }
    told = {f"MPOWER_{name}": _printable(value) for name, value in said.items()}
    return {**told, "PATH": PATH, "LANG": "C.UTF-8"}


def _printable(text: str) -> str:
    return "".join(one if one.isprintable() else " " for one in text)
