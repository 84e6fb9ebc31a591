"""Shifts: a clerk opens one at a counter with a float, takes money in it, has cash picked up, hands
it over or closes it, counted.

Cash is always typed by denomination: how many of each note, the loose coins as one sum, and the
total as the person added it up; what does not add up is refused. Money is taken only in the open
shift of that clerk at that counter.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from protocols.catalogue.body import Body
from protocols.operation import Operation, Role, Within
from protocols.values import NoCounter, Paise, ReceiptNumber, Text, UserName

Pieces = Annotated[int, Meta(ge=0, le=1_000_000)]
Note = Annotated[int, Meta(ge=1, le=10_000, description="rupees")]


class Pile(Body, frozen=True):
    """So many notes or coins of one value, in rupees: 500, 200, 100, 50, 20, 10, 5, 2 or 1."""

    value: Note
    count: Pieces


class Cash(Body, frozen=True):
    """Cash as it was counted: piles, loose coins, and the total of both as the person added it up,
    paise.
    """

    piles: Annotated[list[Pile], Meta(max_length=20)] = []
    coins_paise: Paise = 0
    total_paise: Paise = 0


class OpenShift(Body, frozen=True):
    """Open my shift at this counter with a float (nothing: without one)."""

    cash: Cash = Cash()


class ShowShift(Body, frozen=True):
    """The open shift of a counter ('' this one), else its last."""

    counter: NoCounter = ""


class ModeCount(Body, frozen=True):
    """How many receipts of one mode there are, and their total in paise."""

    mode: Annotated[str, Meta(pattern=r"^[A-Z_]{2,20}\Z")]
    count: Pieces
    total_paise: Paise


class CloseShift(Body, frozen=True):
    """Close my shift; an officer closes another's by its counter, with a reason.

    ``cash`` is all that lies in the till, the float too. Each instrument on paper is ticked by its
    receipt, or ``modes`` gives count and total of its mode; every other mode is given by its total.
    Cash that is short or in excess needs a reason, and is booked.
    """

    cash: Cash
    modes: Annotated[list[ModeCount], Meta(max_length=20)] = []
    ticked: Annotated[list[ReceiptNumber], Meta(max_length=500)] = []
    reason: Text = ""
    counter: NoCounter = ""


class PickUp(Body, frozen=True):
    """One pick-up; ``witness`` '' while it waits for one, and its cash still lies in the till;
    ``counter`` '' on a sheet, which names it.
    """

    pick_up: int
    paise: int
    cash: Cash
    witness: str
    at: str
    counter: str = ""


class Instrument(Body, frozen=True):
    """An instrument on paper in the till."""

    receipt: str
    mode: str
    instrument: str
    paise: int


class Sheet(Body, frozen=True):
    """A shift, open or as it was closed. Amounts in paise; times ISO UTC; a text '' where there is
    none yet.

    ``expected_paise`` is what the ledger says the till holds: float + carried + taken in cash −
    picked up. ``difference_paise``: counted − expected. ``handed_paise`` went to the strong room at
    the closing. ``limit_paise`` −1: the board has set no limit. ``returned``: how many instruments
    went back unpaid while it was open; they are not among its modes. Of the
    instruments the first 400 that fit are listed, of the pick-ups the newest that fit.
    """

    shift: int
    counter: str
    office: str
    clerk: str
    business_date: str
    state: str
    opened_at: str
    float_cash: Cash
    carried_paise: int
    taken_paise: int
    picked_paise: int
    expected_paise: int
    limit_paise: int
    first_receipt: str
    last_receipt: str
    receipts: int
    cancelled: int
    modes: list[ModeCount]
    instruments: list[Instrument]
    pick_ups: list[PickUp]
    closed_at: str
    closed_by: str
    counted: Cash
    difference_paise: int
    handed_paise: int
    reason: str
    handed_to: str = ""
    returned: int = 0


class PickUpCash(Body, frozen=True):
    """Offer cash of my till for a pick-up: it stays in the till until somebody else has witnessed
    it.
    """

    cash: Cash


class Witness(Body, frozen=True):
    """I have counted pick-up ``pick_up`` of that counter ('' this one) and take it to the strong
    room. Its total is said again, so that nobody witnesses what they have not seen.
    """

    pick_up: Annotated[int, Meta(ge=1, le=2**31 - 1)]
    total_paise: Paise
    counter: NoCounter = ""


class HandOver(Body, frozen=True):
    """Offer my shift to another clerk, counted as for a closing; it is theirs when they have
    counted it too.
    """

    to: UserName
    cash: Cash
    modes: Annotated[list[ModeCount], Meta(max_length=20)] = []
    ticked: Annotated[list[ReceiptNumber], Meta(max_length=500)] = []
    reason: Text = ""


class Offered(Body, frozen=True):
    """The till is counted and waits for ``to``, who takes it over at this counter."""

    counter: str
    shift: int
    to: str
    counted_paise: int
    difference_paise: int


class TakeOver(Body, frozen=True):
    """Take over the shift that was offered to me at this counter; I have counted the till myself.

    The float goes on; what lies in the till beyond it is carried into my shift.
    """

    cash: Cash


CLERKS = frozenset({Role.CLERK})
BOTH = frozenset({Role.CLERK, Role.OFFICER})
WITNESSES = frozenset({Role.OFFICER, Role.RECEIVER})
WITHIN = Within("counter", "counter")
OPERATIONS = (
    Operation("shifts.open", OpenShift, Sheet, CLERKS, keyed=True, purpose="open a shift"),
    Operation(
        "shifts.show", ShowShift, Sheet, BOTH, keyed=False, purpose="see a shift", within=WITHIN
    ),
    Operation(
        "shifts.close", CloseShift, Sheet, BOTH, keyed=True, purpose="close a shift", within=WITHIN
    ),
    Operation("shifts.pick_up", PickUpCash, PickUp, CLERKS, keyed=True, purpose="offer a pick-up"),
    Operation(
        "shifts.witness",
        Witness,
        PickUp,
        WITNESSES,
        keyed=True,
        purpose="witness a pick-up",
        within=WITHIN,
    ),
    Operation("shifts.hand_over", HandOver, Offered, CLERKS, keyed=True, purpose="offer a shift"),
    Operation("shifts.take_over", TakeOver, Sheet, CLERKS, keyed=True, purpose="take over a shift"),
)
