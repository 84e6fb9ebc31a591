"""Many seeds in a row, and what a full run must have met."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from tests.simulation.faults.kinds import KINDS, MET_ON_THE_WAY
from tests.simulation.scenario import run
from tests.simulation.world import Violation


class Campaign(NamedTuple):
    """What was met in all, and every violation's sentence."""

    hit: Counter[str]
    acknowledged: int
    violations: list[str]

    @property
    def never_hit(self) -> list[str]:
        """Fault kinds that no seed met: the run proves nothing about them."""
        return [kind for kind in (*KINDS, *MET_ON_THE_WAY) if not self.hit[kind]]


def seeds_asked() -> int:
    """How many seeds the tests play: MPOWER_TEST_SEEDS, or what fits into ``make test``."""
    return int(os.environ.get("MPOWER_TEST_SEEDS", "2000"))


def play(seeds: Iterable[int], planted: frozenset[str] = frozenset(), stop_at: int = 5) -> Campaign:
    """Play them; stop after so many violations."""
    hit: Counter[str] = Counter()
    acknowledged = 0
    violations: list[str] = []
    for seed in seeds:
        try:
            met = run(seed, planted)
        except Violation as broken:
            violations.append(str(broken))
            if len(violations) >= stop_at:
                break
            continue
        hit += met.hit
        acknowledged += met.acknowledged
    return Campaign(hit, acknowledged, violations)


def told(campaign: Campaign, first: int, last: int) -> str:
    """The seeds and the count of each fault kind, as a run prints them."""
    lines = [f"{times:9d}  {kind}" for kind, times in sorted(campaign.hit.items())]
    lines.append(
        f"seeds {first}..{last}: {len(campaign.violations)} violated, "
        f"{campaign.acknowledged} acknowledged; never hit: {campaign.never_hit or 'none'}"
    )
    return "\n".join(lines)
