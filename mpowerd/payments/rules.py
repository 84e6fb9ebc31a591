"""What may be taken, and to which heads received money goes: pure, and arguable with a consumer.

Allocation: oldest claim first, in an order that is the board's parameter; what is left over is an
advance. Amounts are integer paise throughout. This file must not know the database.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final

from protocols.catalogue.payments import Take
from protocols.refusals import Refused
from protocols.values import numbered, rupees

COUNTER_LIMIT_PAISE: Final = 10_00_000_00
"""Rs 10 lakh: more over a counter is a slip of the finger or an officer's matter (parameter
`counter_limit_paise`).
"""
MODES: Final = ("CASH", "CHEQUE", "DD", "CARD", "UPI", "TRANSFER")
TILL_SLOTS: Final = {mode: slot for slot, mode in enumerate(MODES, 1)}
"""Mode → slot of the counter's in-hand account."""
HEADS: Final = ("LPSC", "ARREARS", "CURRENT", "FIXED", "DUTY", "ADVANCE")
HEAD_SLOTS: Final = {head: slot for slot, head in enumerate(HEADS, 1)}
"""Head → slot of the consumer's account; slot 0 is RECEIVED, awaiting verification."""
ORDER: Final = HEADS
"""Default order of allocation; the last takes what is left."""


def fingerprint(body: Take) -> bytes:
    """SHA-256 over the operation and what the payment says: the same intent has the same one,
    however encoded.
    """
    said = (body.consumer, str(body.amount_paise), body.mode, body.instrument, body.purpose)
    return hashlib.sha256("\0".join(("payments.take", *said)).encode()).digest()


def objection(body: Take, limit_paise: int = COUNTER_LIMIT_PAISE) -> Refused | None:
    """What is wrong with a payment by itself; None: nothing (dues, consumer, day are asked
    elsewhere).
    """
    amount = body.amount_paise
    if amount == 0:
        return Refused("AMOUNT_ZERO")
    if amount < 0:
        return Refused("AMOUNT_NEGATIVE")
    if amount > limit_paise:
        return Refused("AMOUNT_HUGE", amount=rupees(amount), limit=rupees(limit_paise))
    if body.mode != "CASH" and not body.instrument:
        return Refused("INSTRUMENT_MISSING", mode=body.mode)
    return None


def allocate(
    amount_paise: int, dues: Mapping[str, int], order: Sequence[str] = ORDER
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


def objection_to_verify(state: str, taker: str, person: str) -> str:
    """Give the code of what speaks against ``person`` verifying a receipt in that state; ''."""
    if state == "CANCELLED":
        return "RECEIPT_CANCELLED"
    if state != "TAKEN":
        return "RECEIPT_VERIFIED"
    return "OWN_WORK" if taker == person else ""


def parsed(receipt: str) -> tuple[str, int, int]:
    """Read a receipt number: (counter, the year its financial year begins in, number)."""
    found = numbered(receipt)
    if found is None:
        raise Refused("NO_RECEIPT", receipt=receipt)
    return found
