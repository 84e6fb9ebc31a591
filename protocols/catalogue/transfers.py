"""Money moved after it was posted: between consumers, out of a bank's suspense, from a counter up
to head office, back to a consumer. Each is one voucher; all but the matching need a second person.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from protocols.catalogue.approvals import Pending
from protocols.catalogue.body import Body
from protocols.catalogue.charges import PaiseMoved
from protocols.catalogue.payments import HeadPosted
from protocols.operation import FourEyes, Operation, Role, Within
from protocols.powers import Power
from protocols.values import ConsumerNumber, CounterCode, Office, ReceiptNumber, Text

Reason = Annotated[Text, Meta(min_length=3)]
NoReceipt = Annotated[
    str,
    Meta(
        pattern=r"^([A-Z][A-Z0-9]{1,11}/[0-9]{4}-[0-9]{2}/[0-9]{1,9})?\Z",
        description="C001/2026-27/42, or nothing",
    ),
]


class Move(Body, frozen=True):
    """Move money from one consumer to another: out of the advance, or, with ``receipt``, all of a
    payment that was taken for the wrong consumer. It pays what the other owes, the rest is their
    advance.
    """

    consumer: ConsumerNumber
    to: ConsumerNumber
    amount_paise: PaiseMoved
    reason: Reason
    receipt: NoReceipt = ""


class SendUp(Body, frozen=True):
    """Send what came in at a counter or bank link by card, UPI or transfer up to head office's
    account. ``reference``: the bank's.
    """

    counter: CounterCode
    fund: Literal["CARD", "UPI", "TRANSFER"]
    amount_paise: PaiseMoved
    reference: Annotated[Text, Meta(min_length=1)]
    reason: Reason


class Refund(Body, frozen=True):
    """Give an advance, or a part of it, back to the consumer: it becomes payable to them."""

    consumer: ConsumerNumber
    amount_paise: PaiseMoved
    reason: Reason


class PayOut(Body, frozen=True):
    """Pay a refund out of the board's bank account, whole: by the voucher that made it payable.
    ``reference``: the number of the board's cheque, or the account to which it is transferred.
    """

    consumer: ConsumerNumber
    refund: Annotated[int, Meta(ge=1, le=2**38 - 1)]
    amount_paise: PaiseMoved
    mode: Literal["CHEQUE", "TRANSFER"]
    reference: Reason
    reason: Reason


class AskRefunds(Body, frozen=True):
    """The refunds of an office that wait to be paid out, or those that were (``paid``): the advice
    to the bank. After a voucher (0: from the first).
    """

    office: Office
    paid: bool = False
    after: Annotated[int, Meta(ge=0, le=2**62)] = 0
    most: Annotated[int, Meta(ge=1, le=200)] = 50


class RefundLine(Body, frozen=True):
    """One refund; once it was paid, its day is the payout's. ``payout``: that voucher, or 0."""

    refund: int
    day: str
    consumer: str
    name: str
    amount_paise: int
    payout: int
    mode: str
    reference: str


class Refunds(Body, frozen=True):
    """The lines, oldest first, and whether there are more."""

    lines: list[RefundLine]
    more: bool


class Match(Body, frozen=True):
    """Say whose the money of a bank's line is that lies in suspense: it pays what they owe."""

    receipt: ReceiptNumber
    consumer: ConsumerNumber
    reason: Reason


class Matched(Body, frozen=True):
    """The voucher, and what it paid under which head."""

    voucher: int
    receipt: str
    consumer: str
    heads: list[HeadPosted]


class AskSuspense(Body, frozen=True):
    """The lines of a bank in suspense, after the place ``after`` (0: from the first)."""

    bank: CounterCode
    after: Annotated[int, Meta(ge=0, le=2**62)] = 0
    most: Annotated[int, Meta(ge=1, le=200)] = 50


class SuspenseLine(Body, frozen=True):
    """One line; ``said``: what stood for the consumer; ``place``: where a page goes on."""

    place: int
    receipt: str
    day: str
    reference: str
    said: str
    value_date: str
    amount_paise: int


class Suspense(Body, frozen=True):
    """The lines, oldest first, and whether there are more."""

    lines: list[SuspenseLine]
    more: bool


class Moved(Body, frozen=True):
    """The voucher's number."""

    voucher: int


OFFICERS = frozenset({Role.OFFICER})
OPERATIONS = (
    Operation(
        "transfers.move",
        Move,
        Pending,
        OFFICERS,
        keyed=True,
        purpose="move money to another consumer",
        four_eyes=FourEyes(Power.TRANSFER, OFFICERS),
        within=Within("consumer", "consumer"),
    ),
    Operation(
        "transfers.send_up",
        SendUp,
        Pending,
        OFFICERS,
        keyed=True,
        purpose="send funds up to head office",
        four_eyes=FourEyes(Power.TRANSFER, OFFICERS),
        within=Within("counter", "counter"),
    ),
    Operation(
        "transfers.refund",
        Refund,
        Pending,
        OFFICERS,
        keyed=True,
        purpose="refund an advance",
        four_eyes=FourEyes(Power.REFUND, OFFICERS),
        within=Within("consumer", "consumer"),
    ),
    Operation(
        "transfers.pay_out",
        PayOut,
        Pending,
        OFFICERS,
        keyed=True,
        purpose="pay a refund out of the bank account",
        four_eyes=FourEyes(Power.REFUND, OFFICERS),
        within=Within("consumer", "consumer"),
    ),
    Operation(
        "transfers.refunds",
        AskRefunds,
        Refunds,
        OFFICERS,
        keyed=False,
        purpose="list refunds to pay out, or paid",
        within=Within("office", "office"),
    ),
    Operation(
        "transfers.suspense",
        AskSuspense,
        Suspense,
        OFFICERS,
        keyed=False,
        purpose="see what lies in suspense",
        within=Within("counter", "bank"),
    ),
    Operation(
        "transfers.match",
        Match,
        Matched,
        OFFICERS,
        keyed=True,
        purpose="give money in suspense to its consumer",
        within=Within("receipt", "receipt"),
    ),
)
