"""``python -m tests.simulation [SEEDS] [--first N] [--show]``: play that many seeds, count the
faults.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter

from tests.simulation.faults import KINDS, MET_ON_THE_WAY
from tests.simulation.planted import PLANTED
from tests.simulation.scenario import run
from tests.simulation.world import Violation


def main() -> int:
    """Play; 1 if anything was violated or a fault kind was never hit in a full run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seeds", nargs="?", type=int, default=0)
    parser.add_argument("--seeds", dest="more", type=int, default=0)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--show", action="store_true", help="print the trace")
    parser.add_argument("--planted", choices=sorted(PLANTED), help="play with this bug")
    asked = parser.parse_args()
    count = asked.seeds or asked.more or 2000
    planted = frozenset({asked.planted} if asked.planted else ())
    hit: Counter[str] = Counter()
    broken = acknowledged = 0
    begun_s = time.perf_counter()
    for seed in range(asked.first, asked.first + count):
        try:
            met = run(seed, planted, verbose=asked.show)
        except Violation as violation:
            broken += 1
            print(violation)
            lines = getattr(violation, "lines", None)
            if asked.show and lines:
                print("\n".join(lines))
            if asked.planted:
                break
            continue
        hit += met.hit
        acknowledged += met.acknowledged
        if asked.show:
            print("\n".join(met.lines))
    took_s = time.perf_counter() - begun_s
    for kind, times in sorted(hit.items()):
        print(f"{times:8d}  {kind}")
    missing = [kind for kind in (*KINDS, *MET_ON_THE_WAY) if not hit[kind]]
    print(
        f"seeds {asked.first}..{asked.first + count - 1}: {broken} violated, "
        f"{acknowledged} acknowledged, {count / took_s:.1f} seeds/s; never hit: {missing or 'none'}"
    )
    return 1 if broken or (missing and count >= 500) else 0


if __name__ == "__main__":
    sys.exit(main())
