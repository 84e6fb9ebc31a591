"""``failover.killed`` and its sisters: ours beside the peers, strike by strike, on one ground.

For each strike: ours, patroni, pg_auto_failover, ours, …, each time on whoever is primary then,
with WRITERS writers at work on that system and nobody at work on the others. All systems are up and
in sync before every strike. A gap is the longest wait of any writer. A peer that cannot be had is a
row that says why. This file must not know how a system or a strike works.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from bench.counters import LIMIT_S, SETTLED_S, StillWaitingError, longest_ms
from bench.failover.auto_failover import AutoFailover
from bench.failover.ground import Ground, ground
from bench.failover.ours import Ours
from bench.failover.patroni import Patroni
from bench.failover.strikes import PULLS_CABLES, SHOWS_LATER_S, STRIKES
from bench.failover.system import NotThereError, System
from bench.figures import Figure, Options, median, table, tell

WRITERS: Final = 8
Make = Callable[[Ground, Path, int], System]
PEERS: Final[dict[str, Make]] = {"patroni": Patroni, "pg_auto_failover": AutoFailover}
OURS: Final = "mpower"


class Entrant:
    """A system that takes part: made when first needed, made anew once if it does not come back."""

    def __init__(self, name: str, make: Make, here: Ground) -> None:
        self.name = name
        self.reason = ""
        self._make, self._ground = make, here
        self._system: System | None = None
        self._home: Path | None = None
        self._lives = 2

    def ready(self) -> tuple[System, str] | None:
        """Give the system in sync and its primary; None, with ``reason``, if it cannot be had."""
        while not self.reason:
            try:
                system = self._system or self._begin()
                return system, system.settled()
            except NotThereError as wrong:
                tell(f"{self.name}: {wrong}")
                self.close()
                self._lives -= 1
                if self._lives == 0:
                    self.reason = f"not run: {str(wrong).splitlines()[0]}"
        return None

    def _begin(self) -> System:
        self._home = Path(tempfile.mkdtemp(prefix=f"mpower-bench-{self.name}-"))
        self._home.chmod(0o755)
        tell(f"{self.name} starts in {self._home} …")
        self._system = self._make(self._ground, self._home, WRITERS)
        return self._system

    def close(self) -> None:
        """End it and remove its folder."""
        if self._system is not None:
            self._system.close()
        if self._home is not None:
            shutil.rmtree(self._home, ignore_errors=True)
        self._system, self._home = None, None


def gap_ms(system: System, here: Ground, strike: str, primary: str) -> float:
    """Strike once and undo it; the longest wait."""
    with system.writers() as writers:
        writers.until_calm(time.monotonic())
        at_s = time.monotonic()
        undo = STRIKES[strike](system, here, primary)
        try:
            waits = writers.until_calm(at_s, SHOWS_LATER_S.get(strike, SETTLED_S))
        except StillWaitingError:
            return LIMIT_S * 1000
        finally:
            undo()
    return longest_ms(waits)


Gaps = dict[str, list[float]]


def gaps_of(strike: str, entrants: Sequence[Entrant], here: Ground, runs: int) -> Gaps:
    """Strike everybody in turn, ``runs`` times."""
    gaps: Gaps = defaultdict(list)
    for number in range(1, runs + 1):
        for entrant in entrants:
            everybody = {one.name: one.ready() for one in entrants}
            found = everybody[entrant.name]
            if found is None:
                continue
            system, primary = found
            try:
                gap = gap_ms(system, here, strike, primary)
            except NotThereError as wrong:
                tell(f"{strike} {number} on {entrant.name}: {wrong}")
                continue
            tell(f"{strike} {number} on {entrant.name}'s {primary}: longest wait {gap:,.0f} ms")
            gaps[entrant.name].append(gap)
    return gaps


def figures_of(strike: str, gaps: Gaps) -> Iterator[Figure]:
    """Sum one strike up: ours against the better peer, and each peer."""
    peers = {name: median(gaps[name]) for name in PEERS if gaps.get(name)}
    best = min(peers.values(), default=None)
    if gaps.get(OURS):
        value = median(gaps[OURS])
        ratio = best / value if best is not None and value > 0 else None
        yield Figure(f"failover.{strike}", value, max(gaps[OURS]), "ms", best, ratio)
    for name, value in peers.items():
        yield Figure(f"failover.{strike}@{name}", value, max(gaps[name]), "ms")


def row(strike: str, name: str, gaps: Sequence[float], reason: str) -> tuple[object, ...]:
    """Write one system's row of the table."""
    if not gaps:
        return (strike, name, None, None, 0, reason or "not run: see above")
    note = "somebody still waited at the end" if max(gaps) >= LIMIT_S * 1000 else reason
    return (strike, name, median(gaps), max(gaps), len(gaps), note)


def measured(names: Sequence[str], options: Options) -> list[Figure]:
    """Measure these figures of the family."""
    figures: list[Figure] = []
    rows: list[tuple[object, ...]] = []
    with ground() as here, ExitStack() as ending:
        makers: dict[str, Make] = {OURS: Ours} | {name: PEERS[name] for name in options.peers}
        entrants = [Entrant(name, make, here) for name, make in makers.items()]
        for entrant in entrants:
            ending.callback(entrant.close)
        for strike in (name.partition(".")[2] for name in names):
            gaps: Gaps = {}
            cannot = strike in PULLS_CABLES and not here.pulls_cables
            if not cannot:
                gaps = gaps_of(strike, entrants, here, options.runs)
            why = "not run: needs root and network namespaces" if cannot else ""
            rows += [
                row(strike, one.name, gaps.get(one.name, []), why or one.reason) for one in entrants
            ]
            figures += figures_of(strike, gaps)
            tell(table(HEAD, rows))
    return figures


HEAD: Final = ("strike", "system", "median ms", "worst ms", "runs", "")
