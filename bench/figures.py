"""A figure as it is printed: one JSON line for programs, a table for people; and the few sums they
need.

Every figure was measured in the run that prints it, and so was what it stands against. This file
must not know how anything is measured.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Iterable, Sequence

from msgspec import Struct


class Figure(Struct, frozen=True):
    """``value`` is the median, ``worst`` the worst run, both in ``unit``; ``against`` is the peer's
    value in the same unit, ``ratio`` how many times better we are (None: nothing to compare with).
    """

    bench: str
    value: float
    worst: float
    unit: str
    against: float | None = None
    ratio: float | None = None


class Options(Struct, frozen=True):
    """What whoever measures may choose: how many runs a figure is the median of, which peers."""

    runs: int = 5
    peers: tuple[str, ...] = ("patroni", "pg_auto_failover")


def line(figure: Figure) -> str:
    """Write a figure as its JSON line."""
    said = {
        "bench": figure.bench,
        "value": rounded(figure.value),
        "worst": rounded(figure.worst),
        "unit": figure.unit,
        "against": None if figure.against is None else rounded(figure.against),
        "ratio": None if figure.ratio is None else round(figure.ratio, 2),
    }
    return json.dumps(said)


def rounded(value: float) -> float:
    """Drop the digits that only look exact: three decimals below ten, one above."""
    return round(value, 1 if abs(value) >= 10 else 3)


def median(values: Iterable[float]) -> float:
    """Give the median."""
    return float(statistics.median(values))


def percentile(ordered: Sequence[float], part: float) -> float:
    """Give the value that ``part`` (0 to 1) of the sorted values do not exceed; 0 of none."""
    if not ordered:
        return 0.0
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Lay rows out under a head, columns aligned, numbers to the right."""
    texts = [list(head), *([_cell(cell) for cell in row] for row in rows)]
    widths = [max(len(row[place]) for row in texts) for place in range(len(head))]
    lines = [
        "  ".join(
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in texts
    ]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def _cell(cell: object) -> str:
    if isinstance(cell, float):
        return f"{cell:,.2f}" if abs(cell) < 100 else f"{cell:,.0f}"
    if isinstance(cell, int):
        return f"{cell:,}"
    return "" if cell is None else str(cell)


def tell(text: str) -> None:
    """Say something to the person who waits."""
    print(text, file=sys.stderr, flush=True)
