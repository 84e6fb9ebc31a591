"""What a scroll must be before a line of it is posted: pure.

Refused whole, with line and reason.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Final

import msgspec

from protocols.catalogue.banking import Line, Post
from protocols.refusals import Refused
from protocols.values import rupees

LINE_LIMIT_PAISE: Final = 10_00_00_000_00
"""Rs 10 crore: the largest payment of an HT consumer by bank, with room; more is a broken file."""
UNKNOWN: Final = -1
"""The consumer of a line whose text is not a consumer number: it goes to the bank's suspense."""


def fingerprint(body: Post) -> bytes:
    """SHA-256 of the part's content: the same file again is the same, whatever its key."""
    return hashlib.sha256(msgspec.json.encode(body)).digest()


def check(body: Post) -> None:
    """Refuse a part that does not fit its controls, repeats a reference, or holds a bad line."""
    first: dict[str, int] = {}
    for number, line in enumerate(body.lines, 1):
        _check_line(number, line)
        if line.reference in first:
            raise Refused(
                "DUPLICATE_LINE",
                line=number,
                reference=line.reference,
                first=first[line.reference],
            )
        first[line.reference] = number
    if body.control_count != len(body.lines):
        raise Refused("COUNT_MISMATCH", said=body.control_count, found=len(body.lines))
    total = sum(line.amount_paise for line in body.lines)
    if total != body.control_paise:
        raise Refused("TOTAL_MISMATCH", said=rupees(body.control_paise), found=rupees(total))


def _check_line(number: int, line: Line) -> None:
    reason = ""
    if line.amount_paise <= 0:
        reason = f"an amount of {rupees(line.amount_paise)} cannot be posted."
    elif line.amount_paise > LINE_LIMIT_PAISE:
        reason = f"{rupees(line.amount_paise)} is above the limit of {rupees(LINE_LIMIT_PAISE)}."
    elif day(line) is None:
        reason = f"there is no day {line.value_date}."
    if reason:
        raise Refused("BAD_LINE", line=number, reference=line.reference, reason=reason)


def day(line: Line) -> dt.date | None:
    """Read a line's value date; None: the calendar has no such day."""
    try:
        return dt.date.fromisoformat(line.value_date)
    except ValueError:
        return None


def consumer(line: Line) -> int:
    """Read the consumer of a line: ten ASCII digits, else UNKNOWN."""
    text = line.consumer
    return int(text) if len(text) == 10 and text.isascii() and text.isdigit() else UNKNOWN
