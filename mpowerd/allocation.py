"""To which heads money goes: pure, and arguable with a consumer.

Oldest claim first, in an order that is the board's parameter of the day on which it was paid; what
is left over is an advance. Amounts are integer paise throughout. This file must not know rooms.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from protocols.heads import ORDER, OWN_HEAD
from protocols.refusals import Refused
from protocols.values import rupees

SPLIT: Final = "split by the officer"
"""Why a receipt's heads are not those of the board's order."""


def order_of(purpose: str, order: Sequence[str] = ORDER) -> tuple[str, ...]:
    """Give the heads that a payment for that purpose goes to, in order; ``order`` is the board's
    for dues. What is left is an advance.
    """
    own = OWN_HEAD.get(purpose)
    return ((own,) if own else tuple(order)) + ("ADVANCE",)


def allocate(
    amount_paise: int, dues: Mapping[str, int], order: Sequence[str] = (*ORDER, "ADVANCE")
) -> list[tuple[str, int]]:
    """Split an amount over heads: each claim in order up to what it stands at, the rest to the last
    head.

    ``dues`` is paise by head; a head in credit (negative) takes nothing. The parts sum to the
    amount; none is zero.
    """
    assert amount_paise > 0, amount_paise
    parts, left = [], amount_paise
    for head in order[:-1]:
        part = min(left, max(0, dues.get(head, 0)))
        if part:
            parts.append((head, part))
            left -= part
    if left:
        parts.append((order[-1], left))
    return parts


def as_told(
    receipt: str,
    purpose: str,
    amount_paise: int,
    dues: Mapping[str, int],
    parts: Sequence[tuple[str, int]],
) -> list[tuple[str, int]]:
    """Give an officer's own split of a receipt, each head once; refuses what does not add up, a
    head that is not for that purpose, more than is owed under one.
    """
    told: dict[str, int] = {}
    for head, paise in parts:
        told[head] = told.get(head, 0) + paise
    total = sum(told.values())
    if total != amount_paise:
        said = {"found": rupees(total), "amount": rupees(amount_paise)}
        raise Refused("ALLOCATION_SUM", receipt=receipt, **said)
    for head, paise in told.items():
        if head not in order_of(purpose):
            raise Refused("ALLOCATION_HEAD", receipt=receipt, head=head, purpose=purpose)
        owed = max(0, dues.get(head, 0))
        if head != "ADVANCE" and paise > owed:
            said = {"part": rupees(paise), "owed": rupees(owed)}
            raise Refused("ALLOCATION_OVER", receipt=receipt, head=head, **said)
    return list(told.items())
