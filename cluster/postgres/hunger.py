"""Why a probe had no answer: does the whole machine starve, or does this PostgreSQL stand still?

The kernel counts for how long somebody waited for a processor or a disk (pressure stall
information). If that was a good part of the time of the probe, or of the last ten seconds, and
neither the postmaster nor the probe's own backend is stopped or stuck in the kernel, then it is
hunger: it passes, and the other server, which shares the load that caused it, would not do better.
Without these counters (an old kernel) nothing is ever taken for hunger. Reads /proc only.
"""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

PROC: Final = Path("/proc")
RESOURCES: Final = ("cpu", "io")
SHARE: Final = 0.3
"""Somebody waited for this part of the time: a busy hour has a tenth, a saturated one all of it."""
LOOKS: Final = 3
LOOK_EVERY_S: Final = 0.02
"""A backend that writes is in the kernel for a moment; one whose disk hangs is there each time."""


class Pressure(NamedTuple):
    """When it was read, and for each resource: the ten-second share, and the total in seconds."""

    at_s: float
    shares: tuple[float, ...]
    totals_s: tuple[float, ...]


def parse_pressure(text: str) -> tuple[float, float]:
    """(share of the last ten seconds, total seconds) of a pressure file's first line."""
    words = dict(word.partition("=")[::2] for word in text.partition("\n")[0].split()[1:])
    return float(words["avg10"]) / 100, float(words["total"]) / 1e6


def starves(before: Pressure, after: Pressure) -> bool:
    """Somebody waited for one resource for a good part of the time between, or lately."""
    took_s = max(after.at_s - before.at_s, 1e-3)
    waited = [
        (late - early) / took_s for early, late in zip(before.totals_s, after.totals_s, strict=True)
    ]
    return max((*waited, *after.shares), default=0.0) >= SHARE


def state_of(pid: int, proc: Path = PROC) -> str:
    """The kernel's letter for a process: R, S, D (in the kernel), T (stopped) …; '' if gone."""
    try:
        stat = (proc / str(pid) / "stat").read_text("ascii", "replace")
    except OSError:
        return ""
    return stat.rpartition(")")[2].split()[0]


class Hunger:
    """Judges the probes of one server; ``postmaster`` gives its process, 0 if there is none."""

    def __init__(
        self,
        postmaster: Callable[[], int],
        proc: Path = PROC,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._postmaster = postmaster
        self._proc = proc
        self._clock = clock

    def read(self) -> Pressure | None:
        """The counters now; None where the kernel has none."""
        try:
            seen = [
                parse_pressure((self._proc / "pressure" / name).read_text("ascii"))
                for name in RESOURCES
            ]
        except (OSError, ValueError, KeyError):
            return None
        shares, totals_s = zip(*seen, strict=True)
        return Pressure(self._clock(), tuple(shares), tuple(totals_s))

    async def explains(self, before: Pressure | None, backend: int) -> bool:
        """True if hunger is why the probe that began at ``before`` had no answer of ``backend``
        (0: it had none yet).
        """
        after = self.read()
        if before is None or after is None or not starves(before, after):
            return False
        postmaster = self._postmaster()
        seen: list[tuple[str, str]] = []
        for _ in range(LOOKS):
            seen.append((self._state(postmaster), self._state(backend)))
            await asyncio.sleep(LOOK_EVERY_S)
        stopped = any(state in {"T", "t"} for both in seen for state in both)
        stuck = any(all(both[at] == "D" for both in seen) for at in (0, 1))
        return postmaster > 0 and not stopped and not stuck

    def _state(self, pid: int) -> str:
        return state_of(pid, self._proc) if pid else ""
