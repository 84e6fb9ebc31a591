"""What may be entered from a book, and in which order: pure.

Leaves are accounted for one after the other. What was entered before and says the same is left
alone; everything else must go on, without a gap, from the first that is open.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from msgspec import Struct

from protocols.catalogue.receipt_books import Enter, Leaf, Spoilt
from protocols.refusals import Refused
from protocols.values import rupees

LEAF_LIMIT_PAISE: Final = 10_00_000_00
"""Rs 10 lakh: what a counter takes at most, with or without a line."""
SLOTS: Final = {
    "CASH": 9,
    "CHEQUE": 2,
    "DD": 3,
    "CARD": 4,
    "UPI": 5,
    "TRANSFER": 6,
    "POSTAL_ORDER": 7,
}
"""Mode → the book's in-hand account; its cash was handed in with it and lies in the strong room."""
UNKNOWN: Final = -1


class Known(Struct, frozen=True):
    """A leaf that is accounted for: its receipt and SHA-256, or why it was spoilt."""

    receipt: str
    content: bytes
    spoilt: str


class Span(Struct, frozen=True):
    """A book's leaves, and the first that is not accounted for."""

    first: int
    last: int
    next: int


def content(leaf: Leaf) -> bytes:
    """SHA-256 of a leaf as it is entered: the same again is the same."""
    return hashlib.sha256(msgspec.json.encode(leaf)).digest()


def fresh(
    body: Enter, span: Span, known: Mapping[int, Known]
) -> tuple[list[Leaf], list[Spoilt], list[int]]:
    """Part what is said into the leaves to enter, the spoilt ones to keep, and those of before;
    refuse what does not go on in order, or says something else than before.
    """
    numbers = sorted([*(one.leaf for one in body.leaves), *(one.leaf for one in body.spoilt)])
    if not numbers:
        raise Refused("NO_LEAVES")
    for one, other in itertools.pairwise(numbers):
        if one == other:
            raise Refused("LEAF_TWICE", leaf=one)
    for leaf in body.leaves:
        if leaf.leaf in known and known[leaf.leaf].content != content(leaf):
            raise Refused("LEAF_KNOWN", leaf=leaf.leaf, book=body.book)
    for spoilt in body.spoilt:
        if spoilt.leaf in known and not known[spoilt.leaf].spoilt:
            raise Refused("LEAF_KNOWN", leaf=spoilt.leaf, book=body.book)
    _in_order([one for one in numbers if one not in known], span, body.book)
    entered = [one for one in body.leaves if one.leaf not in known]
    for leaf in entered:
        _judge(leaf)
    kept = [one for one in body.spoilt if one.leaf not in known]
    return sorted(entered, key=lambda one: one.leaf), kept, [one for one in numbers if one in known]


def _in_order(numbers: Sequence[int], span: Span, book: str) -> None:
    for place, number in enumerate(numbers):
        if not span.first <= number <= span.last:
            raise Refused("LEAF_OUTSIDE", leaf=number, book=book, first=span.first, last=span.last)
        if number != span.next + place:
            raise Refused("LEAF_GAP", book=book, leaf=span.next + place, found=number)


def _judge(leaf: Leaf) -> None:
    """Refuse a leaf that cannot be a receipt, naming it."""
    reason = ""
    if leaf.amount_paise <= 0:
        reason = f"an amount of {rupees(leaf.amount_paise)} cannot be entered"
    elif leaf.amount_paise > LEAF_LIMIT_PAISE:
        reason = f"{rupees(leaf.amount_paise)} is above the limit of {rupees(LEAF_LIMIT_PAISE)}"
    elif leaf.mode != "CASH" and not leaf.instrument:
        reason = f"a {leaf.mode} needs its instrument's number"
    elif day(leaf) is None:
        reason = f"there is no day {leaf.date}"
    if reason:
        raise Refused("BAD_LEAF", leaf=leaf.leaf, reason=reason)


def day(leaf: Leaf) -> dt.date | None:
    """Read the date on a leaf; None: the calendar has no such day."""
    try:
        return dt.date.fromisoformat(leaf.date)
    except ValueError:
        return None


def consumer(leaf: Leaf) -> int:
    """Read the consumer of a leaf: ten ASCII digits, else UNKNOWN."""
    text = leaf.consumer
    return int(text) if len(text) == 10 and text.isdigit() else UNKNOWN
