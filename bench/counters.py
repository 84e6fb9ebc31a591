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

from bench.pair import HOUSE, STOP_S
from bench.steady import PULSE_S, Pulse, Said, Waited

SETTLED_S: Final = 1.0
"""Before a strike everybody has worked this long without a wait worth the name, and no gap is
called ended sooner after it: in this time even an unnoticed strike shows.
"""
LIMIT_S: Final = 60.0
"""Patroni's key lives for 30 s and is looked at every 10 s: what takes longer has no end here."""


class StillWaitingError(Exception):
    """After LIMIT_S somebody still waits: the gap has no end that could be measured."""


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
        give_up_s = time.monotonic() + LIMIT_S
        while time.monotonic() < give_up_s:
            try:
                said = self._said.get(timeout=1.0)
            except queue.Empty:
                if self._process.poll() is not None:
                    raise RuntimeError("the writers ended; see above") from None
                continue
            if isinstance(said, Waited):
                waits.append(said)
            elif calm(said, since_s, settled_s):
                return [one for one in waits if one.ended_s > since_s]
        raise StillWaitingError(f"after {LIMIT_S:g} s writers still wait")


def calm(pulse: Pulse, since_s: float, settled_s: float = SETTLED_S) -> bool:
    """Say whether at this pulse, long enough after ``since_s``, nobody waits worth the name."""
    working = pulse.answered > 0 and pulse.now_s - pulse.oldest_s < PULSE_S
    return working and pulse.now_s - since_s >= settled_s


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
