"""Money over the counter: take (a receipt exists, money awaits verification), verify and post,
cancel, list.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from protocols.catalogue.body import Body
from protocols.heads import Head, Purpose
from protocols.operation import About, Operation, Role, Within
from protocols.values import (
    MAX_PAISE,
    BusinessDate,
    ConsumerNumber,
    CounterCode,
    NoDate,
    PaisePaid,
    ReceiptNumber,
    Text,
)

Mode = Literal["CASH", "CHEQUE", "DD", "CARD", "UPI", "TRANSFER", "POSTAL_ORDER"]
BankCode = Annotated[
    str, Meta(pattern=r"^([A-Z][A-Z0-9-]{0,15})?\Z", description="a code of the master, or nothing")
]


class Take(Body, frozen=True):
    """Take one payment. Every ``purpose`` but ADVANCE refuses more than is owed for it.

    A cheque and a demand draft carry number (``instrument``), date, bank and branch, a postal order
    number and date; card, UPI and transfer their reference; cash nothing. ``confirmed``: the
    consumer pays once more what they paid today (else PAID_ALREADY).
    """

    consumer: ConsumerNumber
    amount_paise: PaisePaid
    mode: Mode = "CASH"
    instrument: Annotated[str, Meta(pattern=r"^[A-Za-z0-9/_.-]{0,24}\Z")] = ""
    purpose: Purpose = "DUES"
    dated: NoDate = ""
    bank: BankCode = ""
    branch: BankCode = ""
    confirmed: bool = False


class Receipt(Body, frozen=True):
    """The receipt: what the terminal prints. ``taken_at`` ISO UTC to the second; amounts in
    paise; ``instrument`` its number, date, bank and branch, with a space between.
    """

    number: str
    business_date: str
    taken_at: str
    consumer: str
    name: str
    amount_paise: int
    mode: str
    instrument: str
    purpose: str
    clerk: str
    state: str = "TAKEN"


class Duplicate(Body, frozen=True):
    """A receipt of this counter, to be printed once more: marked DUPLICATE, and an entry of the
    audit.
    """

    receipt: ReceiptNumber


class Mine(Body, frozen=True):
    """My receipts of the open day, newest first, at most ``limit`` and as many as fit."""

    limit: Annotated[int, Meta(ge=1, le=200)] = 50


class Receipts(Body, frozen=True):
    """Receipts, and the count and total of the whole day at this counter by this clerk (cancelled
    ones not summed).
    """

    receipts: list[Receipt]
    count: int
    total_paise: int


class Cancel(Body, frozen=True):
    """Cancel a receipt of the open day, with the reason that goes to the audit. Officer; not one's
    own taking.
    """

    receipt: ReceiptNumber
    reason: Annotated[Text, Meta(min_length=3)]


class Cancelled(Body, frozen=True):
    """The cancelled receipt number stays in the series; the money left the received account
    again.
    """

    receipt: str
    amount_paise: int


class Part(Body, frozen=True):
    """What of a receipt goes to a head, because an officer says so."""

    receipt: ReceiptNumber
    head: Head
    amount_paise: Annotated[int, Meta(ge=1, le=MAX_PAISE)]


class Verify(Body, frozen=True):
    """Verify and post a counter's unverified receipts of one business date, or only the named ones
    (≤ 500). Where more than 500 await it, all of them are verified in steps, as by
    ``payments.verify_day``. ``parts``: receipts whose money does not go in the board's order; the
    parts of each sum to it, and none but an advance is more than is owed under its head.
    """

    counter: CounterCode
    date: BusinessDate
    receipts: Annotated[list[ReceiptNumber], Meta(max_length=500)] = []
    parts: Annotated[list[Part], Meta(max_length=500)] = []


class HeadPosted(Body, frozen=True):
    """What was posted to one head, paise."""

    head: str
    amount_paise: int


class Verified(Body, frozen=True):
    """How many receipts were verified and posted, their total, and the totals by head;
    ``verification``: none yet, they are verified in steps under that number (0: all is done).
    """

    count: int
    total_paise: int
    heads: list[HeadPosted]
    verification: int = 0


class VerifyDay(Body, frozen=True):
    """Verify all that awaits it of a business date, at one counter or ('') everywhere. The work
    goes on by itself, also after a failover; ask ``payments.verification`` how far it is.
    """

    date: BusinessDate
    counter: Annotated[str, Meta(pattern=r"^([A-Z][A-Z0-9]{1,11})?\Z")] = ""


class WatchVerification(Body, frozen=True):
    """Ask how far a verification is; with the receipts that were left after the place ``after``."""

    verification: Annotated[int, Meta(ge=1, le=2**62)]
    after: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 0


class Left(Body, frozen=True):
    """A receipt that was not verified, and the code of the refusal; FAILED: it cannot be posted,
    ``why`` says what of mPower's own rules it breaks.
    """

    place: int
    receipt: str
    code: str
    why: str = ""


class Verification(Body, frozen=True):
    """How far the verification of a day is: ``state`` OPEN, DONE or STOPPED (``why`` it
    stopped, or waits); ``heads`` when it has ended; ``left`` at most 100 of the receipts that were
    not verified.
    """

    verification: int
    date: str
    counter: str
    by: str
    state: str
    why: str
    receipts: int
    done: int
    posted: int
    posted_paise: int
    heads: list[HeadPosted]
    left: list[Left]


CLERKS = frozenset({Role.CLERK})
OFFICERS = frozenset({Role.OFFICER})
OPERATIONS = (
    Operation("payments.take", Take, Receipt, CLERKS, keyed=True, purpose="take a payment"),
    Operation(
        "payments.duplicate",
        Duplicate,
        Receipt,
        CLERKS,
        keyed=True,
        purpose="print a receipt again",
    ),
    Operation("payments.mine", Mine, Receipts, CLERKS, keyed=False, purpose="my receipts today"),
    Operation(
        "payments.cancel",
        Cancel,
        Cancelled,
        OFFICERS,
        keyed=True,
        purpose="cancel a receipt of today",
        about=About("receipt", "receipt"),
        within=Within("receipt", "receipt"),
    ),
    Operation(
        "payments.verify",
        Verify,
        Verified,
        OFFICERS,
        keyed=True,
        purpose="verify and post receipts",
        within=Within("counter", "counter"),
    ),
    Operation(
        "payments.verify_day",
        VerifyDay,
        Verification,
        OFFICERS,
        keyed=True,
        purpose="verify a whole day",
        within=Within("counter", "counter"),
    ),
    Operation(
        "payments.verification",
        WatchVerification,
        Verification,
        OFFICERS | {Role.AUDITOR},
        keyed=False,
        purpose="see how far a verification is",
    ),
)
