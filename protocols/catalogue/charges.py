"""Charges an officer raises under a head that is paid for itself; a second person approves them."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from protocols.catalogue.approvals import Pending
from protocols.catalogue.body import Body
from protocols.operation import FourEyes, Operation, Role, Within
from protocols.powers import Power
from protocols.values import MAX_PAISE, ConsumerNumber, Text

PaiseMoved = Annotated[int, Meta(ge=1, le=MAX_PAISE)]
"""An amount that is charged, moved or given back: at least a paisa."""


ChargedHead = Literal["DEMAND_NOTE", "SUNDRY", "THEFT", "COMPOUNDING", "INSTALMENT"]


class Raise(Body, frozen=True):
    """Raise a charge: a demand note, a sundry charge, a theft assessment, a compounding fee (the
    State's), or an instalment plan, which moves arrears. ``reference``: the note's or order's
    number.
    """

    consumer: ConsumerNumber
    head: ChargedHead
    amount_paise: PaiseMoved
    reference: Text
    reason: Annotated[Text, Meta(min_length=3)]


class Withdraw(Body, frozen=True):
    """Withdraw a charge that was raised by mistake, whole, as if it had never been. It is named by
    head and reference; nothing of it may have been paid.
    """

    consumer: ConsumerNumber
    head: ChargedHead
    reference: Text
    reason: Annotated[Text, Meta(min_length=3)]


class Raised(Body, frozen=True):
    """The voucher's number."""

    voucher: int


OFFICERS = frozenset({Role.OFFICER})
OPERATIONS = (
    Operation(
        "charges.raise",
        Raise,
        Pending,
        OFFICERS,
        keyed=True,
        purpose="raise a charge against a consumer",
        four_eyes=FourEyes(Power.CHARGE, OFFICERS),
        within=Within("consumer", "consumer"),
    ),
    Operation(
        "charges.withdraw",
        Withdraw,
        Pending,
        OFFICERS,
        keyed=True,
        purpose="withdraw a charge that was raised by mistake",
        four_eyes=FourEyes(Power.CHARGE, OFFICERS),
        within=Within("consumer", "consumer"),
    ),
)
