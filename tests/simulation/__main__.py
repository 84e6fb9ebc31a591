"""``python -m tests.simulation [SEEDS] [--first N]``: play that many seeds, count the faults.

``--show SEED`` prints one seed's trace instead; ``--planted NAME`` plays with a bug until a seed
catches it.
"""

from __future__ import annotations

import argparse
import sys
import time

from tests.simulation.campaign import play, told
from tests.simulation.planted import PLANTED
from tests.simulation.scenario import run
from tests.simulation.world import Violation

FULL_RUN = 500
"""From so many seeds on, a fault kind that was never hit is a failure."""


def show(seed: int, planted: frozenset[str]) -> int:
    """One seed, line by line."""
    try:
        print("\n".join(run(seed, planted, verbose=True).lines))
    except Violation as broken:
        print("\n".join(broken.lines))
        print(broken)
        return 1
    return 0


def main() -> int:
    """Play; 1 if anything was violated or a fault kind was never hit in a full run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", nargs="?", type=int, default=2000)
    parser.add_argument("--seeds", type=int, default=0, help="the same as the plain number")
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--show", type=int, default=0, metavar="SEED")
    parser.add_argument("--planted", choices=sorted(PLANTED))
    asked = parser.parse_args()
    planted = frozenset({asked.planted} if asked.planted else ())
    if asked.show:
        return show(asked.show, planted)
    count = asked.seeds or asked.count
    last = asked.first + count - 1
    begun_s = time.perf_counter()
    met = play(range(asked.first, last + 1), planted, stop_at=1 if planted else 5)
    for sentence in met.violations:
        print(sentence)
    print(told(met, asked.first, last))
    print(f"{count / (time.perf_counter() - begun_s):.1f} seeds/s")
    return 1 if met.violations or (met.never_hit and count >= FULL_RUN) else 0


if __name__ == "__main__":
    sys.exit(main())
