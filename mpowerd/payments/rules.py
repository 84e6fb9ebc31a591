"""What may be taken, how, and verified by whom: pure, and arguable with a consumer.

Amounts are integer paise throughout. This file must not know the database, nor the heads to which
money goes (``mpowerd.allocation`` does).
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Collection
from typing import Final

from protocols.catalogue.payments import Take
from protocols.refusals import Refused
from protocols.values import numbered, rupees

COUNTER_LIMIT_PAISE: Final = 10_00_000_00
"""Rs 10 lakh: more over a counter is a slip of the finger or an officer's matter (parameter
`counter_limit_paise`).
"""
MODES: Final = ("CASH", "CHEQUE", "DD", "CARD", "UPI", "TRANSFER", "POSTAL_ORDER")
TILL_SLOTS: Final = {mode: slot for slot, mode in enumerate(MODES, 1)}
"""Mode → slot of the counter's in-hand account."""
PAPER: Final = ("instrument", "dated", "bank", "branch")
CARRIED: Final[dict[str, tuple[str, ...]]] = {
    "CASH": (),
    "CHEQUE": PAPER,
    "DD": PAPER,
    "POSTAL_ORDER": ("instrument", "dated"),
    "CARD": ("instrument",),
    "UPI": ("instrument",),
    "TRANSFER": ("instrument",),
}
"""Mode → what a payment of it carries: all of it, and nothing else."""
CALLED: Final = {"instrument": "number", "dated": "date", "bank": "bank", "branch": "branch"}


def fingerprint(body: Take) -> bytes:
    """SHA-256 over the operation and what the payment says: the same intent has the same one,
    however encoded.
    """
    said = (
        *(body.consumer, str(body.amount_paise), body.mode, body.instrument, body.purpose),
        *(body.dated, body.bank, body.branch, str(body.confirmed)),
    )
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
    return _objection_to_instrument(body)


def _objection_to_instrument(body: Take) -> Refused | None:
    """What is wrong with the instrument by itself; whether it is stale depends on the day."""
    carried = CARRIED[body.mode]
    for part in PAPER:
        if part in carried and not getattr(body, part):
            return Refused("INSTRUMENT_MISSING", mode=body.mode, missing=CALLED[part])
        if part not in carried and getattr(body, part):
            return Refused("INSTRUMENT_SURPLUS", mode=body.mode, surplus=CALLED[part])
    if body.dated:
        try:
            dt.date.fromisoformat(body.dated)
        except ValueError:
            return Refused("INSTRUMENT_DATE", mode=body.mode, date=body.dated)
    return None


def instrument_text(body: Take) -> str:
    """Write an instrument as it is kept and printed: number, date, bank and branch."""
    return " ".join([part for name in PAPER if (part := getattr(body, name))])


def objection_to_verify(state: str, taker: str, owners: Collection[str], person: str) -> str:
    """Give the code of what speaks against ``person`` verifying a receipt in that state; ''."""
    if state == "CANCELLED":
        return "RECEIPT_CANCELLED"
    if state != "TAKEN":
        return "RECEIPT_VERIFIED"
    if person in owners:
        return "OWN_ACCOUNT"
    return "OWN_WORK" if taker == person else ""


def parsed(receipt: str) -> tuple[str, int, int]:
    """Read a receipt number: (counter, the year its financial year begins in, number)."""
    found = numbered(receipt)
    if found is None:
        raise Refused("NO_RECEIPT", receipt=receipt)
    return found
