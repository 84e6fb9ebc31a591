"""The legs of a voucher that moves money: pure.

What leaves equals what arrives, to the paisa. What the State's heads gain or lose is gained or lost
by what is held for it. This file must not know the database.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from protocols.heads import HEAD_SLOTS

Leg = tuple[int, int, int]
"""Debit, credit, paise."""
HELD: Final = {"DUTY": -5, "COMPOUNDING": -6}
STATE_DUES: Final = -10
BANK, BETWEEN_OFFICES, REFUNDS = -2, -3, -8


def account(consumer: str, head: str) -> int:
    """Give the account of a consumer's head."""
    return int(consumer) * 16 + HEAD_SLOTS[head]


def between(
    consumer: str, leaves: Sequence[tuple[str, int]], to: str, arrives: Sequence[tuple[str, int]]
) -> list[Leg]:
    """Give the legs that take parts from one consumer's heads and pay the other's."""
    legs: list[Leg] = []
    gives, takes = list(leaves), list(arrives)
    while gives and takes:
        (giving, out), (taking, into) = gives.pop(0), takes.pop(0)
        part = min(out, into)
        legs.append((account(consumer, giving), account(to, taking), part))
        if out > part:
            gives.insert(0, (giving, out - part))
        if into > part:
            takes.insert(0, (taking, into - part))
    assert not gives, "what leaves is not what arrives"
    assert not takes, "what arrives is not what leaves"
    legs += [(HELD[head], STATE_DUES, part) for head, part in leaves if head in HELD]
    return legs + collected(arrives)


def collected(parts: Sequence[tuple[str, int]]) -> list[Leg]:
    """Give the legs by which what was paid under the State's heads is held for it."""
    return [(STATE_DUES, HELD[head], part) for head, part in parts if head in HELD]
