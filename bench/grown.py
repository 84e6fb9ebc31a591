"""``payments.grown``: payments a second in a ledger of ten times as many receipts, against one of a
tenth; two pairs on one machine take turns.

The ratio of each round is of both pairs measured one after the other, so that what the machine does
besides hits both alike; the value is that of the large one. Goal: at least 0.9. This file must not
know what a payment costs.
"""

from __future__ import annotations

import time
from typing import Final

from bench.board import add_receipts, seed
from bench.figures import Figure, median, table, tell
from bench.pair import Pair, running_pair
from bench.payments import CONSUMERS, TERMINALS, ours_once

SMALL: Final = 200_000
"""Receipts: a large counter hall's fortnight."""
TIMES: Final = 10
ROUNDS: Final = 4


def grown() -> Figure:
    """Measure both pairs in turn."""
    with running_pair(TERMINALS) as small, running_pair(TERMINALS) as large:
        for pair, receipts in ((small, SMALL), (large, SMALL * TIMES)):
            begun = time.perf_counter()
            seed(pair.conninfo("a"), CONSUMERS, TERMINALS)
            add_receipts(pair.conninfo("a"), receipts, CONSUMERS)
            pair.wait_in_sync()
            tell(
                f"{receipts:,} receipts were brought in within {time.perf_counter() - begun:.0f} s"
            )
        rounds = [_round(number, small, large) for number in range(1, ROUNDS + 1)]
    rows = [(number, *pair, pair[1] / pair[0]) for number, pair in enumerate(rounds, 1)]
    head = ("round", f"{SMALL:,} receipts", f"{SMALL * TIMES:,} receipts", "ratio")
    tell(table(head, rows))
    ratio = median(large / small for small, large in rounds)
    rates = [large for _, large in rounds]
    return Figure(
        "payments.grown",
        median(rates),
        min(rates),
        "1/s",
        median(small for small, _ in rounds),
        ratio,
    )


def _round(number: int, small: Pair, large: Pair) -> tuple[float, float]:
    """One round; who is first takes turns too."""
    order = (small, large) if number % 2 else (large, small)
    rates = {id(pair): ours_once(pair, number).report.per_s for pair in order}
    return rates[id(small)], rates[id(large)]
