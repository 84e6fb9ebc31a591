"""``failover.silent_fast`` and ``failover.sync_entry``: what only ours is asked.

silent_fast: the cable of the primary is pulled as for ``failover.silent``, under the fast profile
of the timers. sync_entry: the standby's daemon and PostgreSQL are killed under work and come back;
the longest wait of any writer from the moment the primary works alone until both copies are in sync
again. This file must not know how a node notices or lets in.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGKILL

from bench.counters import Counters, longest_ms
from bench.failover.contest import WRITERS, gap_ms
from bench.failover.ground import Ground, ground
from bench.failover.ours import Ours
from bench.failover.strikes import silent
from bench.failover.system import NotThereError
from bench.figures import Figure, Options, median, table, tell
from bench.pair import send
from config.settings import FAST, TimersSettings

RUNS_APART_S = 2.0
"""After both copies are in sync, before the next run: the first beats of the new roles are over."""


@contextmanager
def our_pair(here: Ground, timers: TimersSettings | None = None) -> Iterator[Ours]:
    """Ours alone on that ground."""
    home = Path(tempfile.mkdtemp(prefix="mpower-bench-ours-"))
    home.chmod(0o755)
    ours = None
    try:
        ours = Ours(here, home, WRITERS, timers)
        yield ours
    finally:
        if ours is not None:
            ours.close()
        shutil.rmtree(home, ignore_errors=True)


def silent_fast(options: Options) -> Figure:
    """The cable of the primary is pulled, with the fast profile."""
    with ground() as here:
        if not here.pulls_cables:
            raise NotThereError("needs root and network namespaces")
        with our_pair(here, FAST) as ours:
            return summed("failover.silent_fast", options, lambda: pulled_ms(ours, here))


def pulled_ms(ours: Ours, here: Ground) -> float:
    """Pull the primary's cable once."""
    return gap_ms(ours, here, silent, ours.settled())


def sync_entry(options: Options) -> Figure:
    """The standby comes back under work."""
    with ground() as here, our_pair(here) as ours, ours.writers() as writers:
        return summed("failover.sync_entry", options, lambda: entry_ms(ours, writers))


def entry_ms(ours: Ours, writers: Counters) -> float:
    """Kill the standby, let it come back; the longest wait after the primary was alone."""
    standby = "b" if ours.settled() == "a" else "a"
    time.sleep(RUNS_APART_S)
    writers.until_calm(time.monotonic())
    database, daemons = ours.pair.family(standby), ours.daemons(standby)
    send(daemons, SIGKILL)
    send([pid for pid in database if pid not in daemons], SIGKILL)
    writers.until_calm(time.monotonic())
    alone_s = time.monotonic()
    ours.revive(standby)
    ours.settled()
    return longest_ms(writers.until_calm(alone_s))


def summed(name: str, options: Options, measure: Callable[[], float]) -> Figure:
    """Measure as often as there are runs."""
    gaps = []
    for number in range(1, options.runs + 1):
        gaps.append(measure())
        tell(f"{name} {number}: longest wait {gaps[-1]:,.0f} ms")
    rows = [(f"run {number}", gap) for number, gap in enumerate(gaps, 1)]
    tell(table((name, "longest wait ms"), rows))
    return Figure(name, median(gaps), max(gaps), "ms")
