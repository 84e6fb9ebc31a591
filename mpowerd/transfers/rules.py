"""What may be moved, and the legs of the voucher that moves it: pure.

What leaves equals what arrives, to the paisa. What the State's heads gain or lose is gained or lost
by what is held for it. This file must not know the database.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from mpowerd.receipts import must_stand
from protocols.catalogue.transfers import Move, PayOut
from protocols.heads import HEAD_SLOTS, OWN_HEAD
from protocols.refusals import Refused
from protocols.values import rupees

Leg = tuple[int, int, int]
"""Debit, credit, paise."""
HELD: Final = {"DUTY": -5, "COMPOUNDING": -6}
STATE_DUES: Final = -10
BANK, BETWEEN_OFFICES, REFUNDS = -2, -3, -8


class Standing(NamedTuple):
    """A consumer as it stands: the advance held, paise by head, the order in which dues are
    paid; what of the advance waits for the bank, and the receipts that brought it.
    """

    name: str
    office: str
    advance_paise: int
    order: list[str]
    heads: Mapping[str, int]
    waits_paise: int = 0
    waits_for: str = ""

    @property
    def free_paise(self) -> int:
        """What of the advance may go elsewhere now."""
        return max(0, self.advance_paise - self.waits_paise)


class Posted(NamedTuple):
    """A receipt as it was posted to the heads."""

    receipt: int
    consumer: str
    amount_paise: int
    day: dt.date
    purpose: str
    state: str
    moved: bool
    heads: Mapping[str, int]


class Payable(NamedTuple):
    """A refund: to whom, of which office, how much; the voucher that paid it out, or 0; by how much
    it is not covered.
    """

    name: str
    office: str
    paise: int
    payout: int
    short_paise: int


def check_refund(found: Payable, body: PayOut) -> None:
    """Refuse a refund that was paid out, another amount than it is, or one that nothing covers."""
    if found.payout:
        raise Refused("REFUND_PAID", refund=body.refund)
    if found.paise != body.amount_paise:
        amount, there = rupees(body.amount_paise), rupees(found.paise)
        raise Refused("REFUND_WHOLE", refund=body.refund, there=there, amount=amount)
    if found.short_paise > 0:
        raise Refused("REFUND_UNCOVERED", refund=body.refund, short=rupees(found.short_paise))


def check_advance(stands: Standing, amount_paise: int) -> None:
    """Refuse more than the advance that the board holds for a consumer, and what of it the bank has
    not credited.
    """
    amount = rupees(amount_paise)
    if amount_paise > stands.advance_paise:
        raise Refused("OVER_ADVANCE", amount=amount, there=rupees(max(0, stands.advance_paise)))
    if amount_paise > stands.free_paise:
        there, waits = rupees(stands.free_paise), rupees(stands.waits_paise)
        said = {"there": there, "waits": waits, "receipts": stands.waits_for}
        raise Refused("ADVANCE_WAITS", amount=amount, **said)


def left(stands: Standing, gone_paise: int) -> str:
    """Say what is left of an advance when a part of it has gone, and what of that waits."""
    said = rupees(stands.advance_paise - gone_paise)
    if not stands.waits_paise:
        return said
    return f"{said}, {rupees(stands.waits_paise)} of it not credited yet ({stands.waits_for})"


def check_spent(stands: Standing, receipt: str, part_paise: int) -> None:
    """Refuse a receipt whose part in the advance went elsewhere since."""
    if part_paise > stands.free_paise:
        amount, there = rupees(part_paise), rupees(stands.free_paise)
        raise Refused("ADVANCE_SPENT", receipt=receipt, amount=amount, there=there)


def check_posted(posted: Posted, body: Move) -> None:
    """Refuse a receipt that cannot be moved: not posted, not this consumer's, not whole."""
    must_stand(body.receipt, posted.state)
    if posted.moved:
        raise Refused("RECEIPT_MOVED", receipt=body.receipt)
    if posted.consumer != body.consumer:
        raise Refused("NO_RECEIPT", receipt=body.receipt)
    if posted.amount_paise != body.amount_paise or posted.purpose in OWN_HEAD:
        amount, purpose = rupees(posted.amount_paise), posted.purpose
        raise Refused("MOVE_WHOLE", receipt=body.receipt, amount=amount, purpose=purpose)


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
