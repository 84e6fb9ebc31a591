"""What the counters took goes to the bank: sorted, put on slips, in transit, credited.

A slip is of one office and one kind: cash (counted), cheques of one bank and place, drafts, postal
orders, and the lists of what comes in by card, UPI and transfer. Its receipts are REMITTED; when
the bank has credited it they are REALISED. One that comes back is not realised, but dishonoured.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from protocols.catalogue.body import Body
from protocols.catalogue.shifts import Cash
from protocols.operation import Operation, Role, Within
from protocols.values import BusinessDate, Name, Office, Paise, ReceiptNumber

Kind = Literal["CASH", "CHEQUE", "DD", "CARD", "UPI", "TRANSFER", "POSTAL_ORDER"]
Place = Literal["", "LOCAL", "OUTSTATION", "UNSORTED"]
BankCode = Annotated[str, Meta(pattern=r"^[A-Z][A-Z0-9-]{0,15}\Z", description="a bank's code")]
NoBank = Annotated[str, Meta(pattern=r"^([A-Z][A-Z0-9-]{0,15})?\Z")]
SlipNumber = Annotated[
    str,
    Meta(
        pattern=r"^[A-Z][A-Z0-9-]{0,15}/[0-9]{4}-[0-9]{2}/[0-9]{1,9}\Z",
        description="SD-101/2026-27/42",
    ),
]


class Cheque(Body, frozen=True):
    """A cheque as read from its paper: the bank it is drawn on, and the city of its branch."""

    receipt: ReceiptNumber
    bank: BankCode
    city: Name


class Sort(Body, frozen=True):
    """Sort cheques by bank and city; all of them or none. Again: the last reading counts."""

    cheques: Annotated[list[Cheque], Meta(min_length=1, max_length=200)]


class Sorted(Body, frozen=True):
    """How many were sorted."""

    count: int


class AskPending(Body, frozen=True):
    """What has an office for the bank?"""

    office: Office


class Group(Body, frozen=True):
    """What one slip would carry. ``unverified`` receipts must be verified first; UNSORTED cheques
    sorted.
    """

    kind: str
    bank: str
    place: str
    receipts: int
    paise: int
    unverified: int


class Pending(Body, frozen=True):
    """Everything of an office's closed shifts that has not gone to the bank."""

    office: str
    groups: list[Group]


class MakeSlip(Body, frozen=True):
    """Make the office's next slip of a kind. Cash is counted by denomination; of all others
    ``total_paise`` is the list's total. Either must be what the ledger says. At most 400
    instruments go on one slip; the oldest go first.
    """

    office: Office
    kind: Kind
    bank: NoBank = ""
    place: Place = ""
    cash: Cash = Cash()
    total_paise: Paise = 0


class SlipLine(Body, frozen=True):
    """One instrument of a slip, and what has become of it."""

    receipt: str
    instrument: str
    paise: int
    state: str


class Part(Body, frozen=True):
    """What one counter has on a slip."""

    counter: str
    paise: int


class Slip(Body, frozen=True):
    """A slip as it is printed, and what has come of it. ``open_paise``: neither credited nor
    returned. A cash slip has no lines.
    """

    slip: str
    office: str
    kind: str
    bank: str
    place: str
    business_date: str
    made_at: str
    made_by: str
    cash: Cash
    total_paise: int
    realised_paise: int
    open_paise: int
    parts: list[Part]
    lines: list[SlipLine]


class AskSlip(Body, frozen=True):
    """Print a slip again: marked DUPLICATE, and an entry of the audit."""

    slip: SlipNumber


class AskSlips(Body, frozen=True):
    """The newest slips of an office; ``waiting``: only those the bank has not wholly settled."""

    office: Office
    waiting: bool = False
    most: Annotated[int, Meta(ge=1, le=200)] = 50


class SlipRow(Body, frozen=True):
    """A slip in a list."""

    slip: str
    kind: str
    bank: str
    place: str
    business_date: str
    total_paise: int
    realised_paise: int
    open_paise: int


class Slips(Body, frozen=True):
    """Slips, newest first."""

    slips: list[SlipRow]


class Realise(Body, frozen=True):
    """The bank has credited a slip whole, or only the named receipts of it (never cash): the day
    and the reference of the credit in its statement, and the amount, which must be theirs.
    """

    slip: SlipNumber
    value_date: BusinessDate
    reference: Annotated[str, Meta(pattern=r"^[A-Za-z0-9/_.-]{1,35}\Z")]
    amount_paise: Paise
    receipts: Annotated[list[ReceiptNumber], Meta(max_length=400)] = []


OFFICERS = frozenset({Role.OFFICER})
OFFICE, SLIP = Within("office", "office"), Within("office", "slip")
OPERATIONS = (
    Operation(
        "remittance.sort",
        Sort,
        Sorted,
        frozenset({Role.CLERK, Role.OFFICER}),
        keyed=True,
        purpose="sort cheques by bank and place",
    ),
    Operation(
        "remittance.pending",
        AskPending,
        Pending,
        OFFICERS,
        keyed=False,
        purpose="see what is to go to the bank",
        within=OFFICE,
    ),
    Operation(
        "remittance.make",
        MakeSlip,
        Slip,
        OFFICERS,
        keyed=True,
        purpose="make a bank slip",
        within=OFFICE,
    ),
    Operation(
        "remittance.again",
        AskSlip,
        Slip,
        OFFICERS,
        keyed=True,
        purpose="print a slip again",
        within=SLIP,
    ),
    Operation(
        "remittance.slips",
        AskSlips,
        Slips,
        OFFICERS,
        keyed=False,
        purpose="list slips",
        within=OFFICE,
    ),
    Operation(
        "remittance.realise",
        Realise,
        Slip,
        OFFICERS,
        keyed=True,
        purpose="note what the bank has credited",
        within=SLIP,
    ),
)
