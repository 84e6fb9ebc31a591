"""Dates of business days: pure."""

from __future__ import annotations

import datetime as dt

from protocols.refusals import Refused


def real_date(operation: str, text: str) -> dt.date:
    """Read a date of the right shape; BAD_BODY when the calendar has no such day."""
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise Refused("BAD_BODY", operation=operation, reason=f"there is no day {text}") from None


def financial_year(year: int) -> str:
    """Write a financial year (April to March) by the year it begins in: 2026 → ``2026-27``."""
    return f"{year}-{(year + 1) % 100:02d}"
