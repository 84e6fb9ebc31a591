"""Dates of business days, and how a cash book is summed: pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Final

from protocols.catalogue.days import BookLine
from protocols.refusals import Refused

BACK_DAYS: Final = 31
"""A board that stood still, or works up what it took on paper, is never further behind."""
AHEAD_DAYS: Final = 1
"""The evening before. Days only go forward, so a date mistyped into the future stops the board."""


def real_date(operation: str, text: str) -> dt.date:
    """Read a date of the right shape; BAD_BODY when the calendar has no such day."""
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise Refused("BAD_BODY", operation=operation, reason=f"there is no day {text}") from None


def near_date(operation: str, text: str, today: dt.date) -> dt.date:
    """Read the date of a day to open; DAY_FAR unless it lies near ``today``, the node's own date.

    Source: a year typed wrong is accepted once and for ever, since days only go forward.
    """
    date = real_date(operation, text)
    first = today - dt.timedelta(days=BACK_DAYS)
    last = today + dt.timedelta(days=AHEAD_DAYS)
    if not first <= date <= last:
        raise Refused("DAY_FAR", date=date, today=today, first=first, last=last)
    return date


def summed(lines: Iterable[tuple[str, Sequence[int]]]) -> list[BookLine]:
    """Sum a cash book's figures by their name, in the order the names first come."""
    sums: dict[str, list[int]] = {}
    for name, figures in lines:
        held = sums.setdefault(name, [0] * len(figures))
        sums[name] = [one + more for one, more in zip(held, figures, strict=True)]
    return [BookLine(name, *figures) for name, figures in sums.items()]


def financial_year(year: int) -> str:
    """Write a financial year (April to March) by the year it begins in: 2026 → ``2026-27``."""
    return f"{year}-{(year + 1) % 100:02d}"
