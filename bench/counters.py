"""Writers at work in a process of their own, listened to: how long the longest of them waits.

The process says ``Waited`` and ``Pulse`` as ``bench.steady`` declares them. This file must not know
what they write, nor what happens to whom they write to.
"""

from __future__ import annotations

import queue
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import msgspec
from msgspec import Struct

from bench.pair import HOUSE, STOP_S
from bench.steady import PULSE_S, Pulse, Said, Waited

SETTLED_S: Final = 1.0
"""Before a strike everybody has worked this long without a wait worth the name, and no gap is
called ended sooner after it: in this time even an unnoticed strike shows.
"""
LIMIT_S: Final = 90.0
"""Patroni's key lives for 30 s and is looked at every 10 s, and a standby that it does not reach
counts until PostgreSQL's wal_sender_timeout (60 s) drops it: what takes longer has no end here.
"""


class StillWaitingError(Exception):
    """After LIMIT_S somebody still waits: the gap has no end that could be measured."""


class Watched(Struct, frozen=True):
    """What a window gave: payments a second, and how long the longest of them waited."""

    per_s: float
    longest_ms: float


class Counters:
    """What the working writers say."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._said: queue.Queue[Said] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for one in self._process.stdout:
            self._said.put(msgspec.json.decode(one, type=Said))

    def until_calm(self, since_s: float, settled_s: float = SETTLED_S) -> list[Waited]:
        """Listen until nobody waits any more, at least ``settled_s`` after ``since_s``; the waits
        that ended after it. StillWaitingError if that takes LIMIT_S.
        """
        waits: list[Waited] = []
        for said in self._heard():
            if isinstance(said, Waited):
                waits.append(said)
            elif calm(said, since_s, settled_s):
                break
        return [one for one in waits if one.ended_s > since_s]

    def watched(self, seconds: float) -> Watched:
        """Listen for that long, from the next pulse on."""
        waits: list[Waited] = []
        since_s, first = time.monotonic(), None
        for said in self._heard():
            if isinstance(said, Waited):
                waits.append(said)
            elif first is None:
                first = said if said.now_s >= since_s else None
            elif said.now_s - first.now_s >= seconds:
                return watched(first, said, waits)
        raise AssertionError("what is heard has no end")

    def answered(self) -> int:
        """Give how many payments were answered so far, by the next pulse."""
        since_s = time.monotonic()
        pulses = (one for one in self._heard() if isinstance(one, Pulse) and one.now_s >= since_s)
        return next(pulses).answered

    def _heard(self) -> Iterator[Said]:
        """Give what they say; StillWaitingError after LIMIT_S."""
        give_up_s = time.monotonic() + LIMIT_S
        while time.monotonic() < give_up_s:
            try:
                yield self._said.get(timeout=1.0)
            except queue.Empty:
                if self._process.poll() is not None:
                    raise RuntimeError("the writers ended; see above") from None
        raise StillWaitingError(f"after {LIMIT_S:g} s writers still wait")


def calm(pulse: Pulse, since_s: float, settled_s: float = SETTLED_S) -> bool:
    """Say whether at this pulse, long enough after ``since_s``, nobody waits worth the name."""
    working = pulse.answered > 0 and pulse.now_s - pulse.oldest_s < PULSE_S
    return working and pulse.now_s - since_s >= settled_s


def watched(first: Pulse, last: Pulse, waits: Iterable[Waited]) -> Watched:
    """Sum a window up; who still waits at its end has waited since then as well."""
    there = [one for one in waits if first.now_s < one.ended_s <= last.now_s]
    there.append(Waited(min(last.oldest_s, last.now_s), last.now_s))
    rate = (last.answered - first.answered) / (last.now_s - first.now_s)
    return Watched(rate, longest_ms(there))


def longest_ms(waits: Iterable[Waited]) -> float:
    """Give the longest wait."""
    return max((one.ended_s - one.begun_s for one in waits), default=0.0) * 1000


@contextmanager
def working(command: Sequence[str]) -> Iterator[Counters]:
    """Writers that work until the context ends; they end with their standard input."""
    process = subprocess.Popen(command, cwd=HOUSE, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    try:
        yield Counters(process)
    finally:
        process.stdin.close()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(STOP_S)
