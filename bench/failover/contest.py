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
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from bench.counters import LIMIT_S, SETTLED_S, StillWaitingError, longest_ms
from bench.failover import readme
from bench.failover.auto_failover import AutoFailover
from bench.failover.ground import Ground, ground
from bench.failover.ours import Ours
from bench.failover.patroni import Patroni
from bench.failover.strikes import PULLS_CABLES, SHOWS_LATER_S, STRIKES, Strike
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


def gap_ms(
    system: System, here: Ground, strike: Strike, primary: str, watch_s: float = SETTLED_S
) -> float:
    """Strike once and undo it; the longest wait. StillWaitingError: it has no end."""
    with system.writers() as writers:
        writers.until_calm(time.monotonic())
        at_s = time.monotonic()
        undo = strike(system, here, primary)
        try:
            waits = writers.until_calm(at_s, watch_s)
        finally:
            undo()
    return longest_ms(waits)


class Tally:
    """The gaps of one strike by system; who has none any more, and why."""

    def __init__(self, strike: str) -> None:
        self.strike = strike
        self.gaps: dict[str, list[float]] = {}
        self.out: dict[str, str] = {}

    def take(self, name: str, gap: float) -> None:
        """Take one measured gap."""
        self.gaps.setdefault(name, []).append(gap)

    def leave_out(self, name: str, why: str) -> None:
        """That system has no figure for this strike: not even what was measured before."""
        self.gaps.pop(name, None)
        self.out[name] = why

    def figures(self) -> Iterator[Figure]:
        """Sum up: ours against the better peer, and each peer."""
        peers = {name: median(self.gaps[name]) for name in PEERS if name in self.gaps}
        best = min(peers.values(), default=None)
        if OURS in self.gaps:
            value = median(self.gaps[OURS])
            ratio = best / value if best is not None and value > 0 else None
            worst = max(self.gaps[OURS])
            yield Figure(f"failover.{self.strike}", value, worst, "ms", best, ratio)
        for name, value in peers.items():
            yield Figure(f"failover.{self.strike}@{name}", value, max(self.gaps[name]), "ms")

    def row(self, name: str) -> tuple[object, ...]:
        """Write one system's row of the table."""
        gaps = self.gaps.get(name, [])
        if not gaps:
            return (self.strike, name, None, None, 0, self.out.get(name, "not run: see above"))
        return (self.strike, name, median(gaps), max(gaps), len(gaps), "")


def fought(strike: str, entrants: Sequence[Entrant], here: Ground, runs: int) -> Tally:
    """Strike everybody in turn, ``runs`` times; who waits without end once is not struck again."""
    tally = Tally(strike)
    if strike in PULLS_CABLES and not here.pulls_cables:
        for entrant in entrants:
            tally.leave_out(entrant.name, "not run: needs root and network namespaces")
        return tally
    for number in range(1, runs + 1):
        for entrant in entrants:
            everybody = {one.name: one.ready() for one in entrants}
            found = everybody[entrant.name]
            if found is None:
                tally.leave_out(entrant.name, entrant.reason)
            elif entrant.name not in tally.out:
                _fight(tally, entrant.name, number, here, *found)
    return tally


def _fight(
    tally: Tally, name: str, number: int, here: Ground, system: System, primary: str
) -> None:
    strike = tally.strike
    try:
        gap = gap_ms(system, here, STRIKES[strike], primary, SHOWS_LATER_S.get(strike, SETTLED_S))
    except StillWaitingError:
        tally.leave_out(name, f"no end within {LIMIT_S:g} s (run {number})")
        tell(f"{strike} {number} on {name}'s {primary}: {tally.out[name]}")
    except NotThereError as wrong:
        tell(f"{strike} {number} on {name}: {wrong}")
    else:
        tell(f"{strike} {number} on {name}'s {primary}: longest wait {gap:,.0f} ms")
        tally.take(name, gap)


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
            tally = fought(strike, entrants, here, options.runs)
            rows += [tally.row(one.name) for one in entrants]
            figures += tally.figures()
            tell(table(readme.HEAD, rows))
    tell(f"\n{readme.BEGIN}\n{readme.block(rows, options.runs, readme.machine())}\n{readme.END}")
    return figures
