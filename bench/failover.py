"""``failover.killed``, ``.silent``, ``.daemon``: how long the terminal waits that waits longest
when its primary is struck while it works.

killed: PostgreSQL's postmaster by SIGKILL, its daemon sees it. daemon: mpowerd by SIGKILL, its
PostgreSQL goes on without it. silent: SIGSTOP of the daemon and everything below it: no FIN, no RST
reaches anybody. Five strikes on one pair, each on whoever is primary then, with the default timers;
before the next one the struck node has come back and is in sync. This file must not know how the
other node notices.
"""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import msgspec

from bench.board import seed
from bench.figures import Figure, median, table, tell
from bench.pair import HOUSE, STOP_S, Pair, running_pair, send
from bench.steady import PULSE_S, Pulse, Said, Waited

RUNS: Final = 5
COUNTERS: Final = 8
CONSUMERS: Final = 5_000
SETTLED_S: Final = 1.0
"""Before a strike everybody has worked this long without a wait worth the name, and no gap is
called ended sooner after it: in this time even an unnoticed strike shows.
"""
LIMIT_S: Final = 60.0
Strike = Callable[[Pair, str], Callable[[], None]]
"""Strikes a node; what it gives brings the node back."""


def killed() -> Figure:
    """The database dies, the daemon lives."""
    return measured("failover.killed", kill_postmaster)


def silent() -> Figure:
    """Every process of the node stands still."""
    return measured("failover.silent", freeze)


def daemon() -> Figure:
    """The daemon dies, the database lives."""
    return measured("failover.daemon", kill_daemon)


def kill_postmaster(pair: Pair, node: str) -> Callable[[], None]:
    """SIGKILL of the postmaster; its daemon brings the node back by itself."""
    os.kill(pair.postmaster(node), signal.SIGKILL)
    return lambda: None


def kill_daemon(pair: Pair, node: str) -> Callable[[], None]:
    """SIGKILL of the daemon; it is started again as a supervisor would."""
    os.kill(pair.daemon(node), signal.SIGKILL)
    pair.reap(node)
    return lambda: pair.start(node)


def freeze(pair: Pair, node: str) -> Callable[[], None]:
    """SIGSTOP of the whole family, the daemon first; thawed with the daemon last."""
    members = pair.family(node)
    send(members, signal.SIGSTOP)
    return lambda: send(members[::-1], signal.SIGCONT)


class Counters:
    """The working counters, in a process of their own; what they say is read here."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._said: queue.Queue[Said] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for one in self._process.stdout:
            self._said.put(msgspec.json.decode(one, type=Said))

    def until_calm(self, since_s: float) -> list[Waited]:
        """Listen until nobody waits any more, at least SETTLED_S after ``since_s``; the waits that
        ended after it. RuntimeError if that takes longer than LIMIT_S.
        """
        waits: list[Waited] = []
        give_up_s = time.monotonic() + LIMIT_S
        while time.monotonic() < give_up_s:
            try:
                said = self._said.get(timeout=1.0)
            except queue.Empty:
                if self._process.poll() is not None:
                    raise RuntimeError("the counters ended; see above") from None
                continue
            if isinstance(said, Waited):
                waits.append(said)
            elif calm(said, since_s):
                return [one for one in waits if one.ended_s > since_s]
        raise RuntimeError(f"after {LIMIT_S:g} s counters still wait")


def calm(pulse: Pulse, since_s: float) -> bool:
    """Say whether at this pulse, long enough after ``since_s``, no payment waits worth the name."""
    working = pulse.answered > 0 and pulse.now_s - pulse.oldest_s < PULSE_S
    return working and pulse.now_s - since_s >= SETTLED_S


def longest_ms(waits: Iterable[Waited]) -> float:
    """Give the longest wait."""
    return max((one.ended_s - one.begun_s for one in waits), default=0.0) * 1000


@contextmanager
def working(pair: Pair) -> Iterator[Counters]:
    """Counters that work until the context ends."""
    home = str(pair.paths.home)
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.steady", home, str(COUNTERS), str(CONSUMERS)],
        cwd=HOUSE,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
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


def measured(name: str, strike: Strike) -> Figure:
    """Strike five times and sum up."""
    gaps: list[float] = []
    rows: list[tuple[Any, ...]] = []
    with running_pair(COUNTERS) as pair:
        seed(pair.conninfo("a"), CONSUMERS, COUNTERS)
        with working(pair) as counters:
            for number in range(1, RUNS + 1):
                primary = pair.wait_in_sync()
                counters.until_calm(time.monotonic())
                at_s = time.monotonic()
                back = strike(pair, primary)
                gap_ms = longest_ms(counters.until_calm(at_s))
                back()
                tell(f"{name} {number}: {primary} struck, the longest wait {gap_ms:,.0f} ms")
                gaps.append(gap_ms)
                rows.append((f"strike {number} on {primary}", gap_ms))
    tell(table((name, "longest wait ms"), rows))
    return Figure(name, median(gaps), max(gaps), "ms")
