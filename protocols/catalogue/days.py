"""The business day: opened and closed by an officer; receipts carry its date and financial year,
never now().
"""

from __future__ import annotations

from protocols.catalogue.body import Body, Nothing
from protocols.operation import About, Operation, Role, Within
from protocols.values import BusinessDate, NoCounter, Office


class OpenDay(Body, frozen=True):
    """Open a business day. It must be after every day before it."""

    date: BusinessDate


class CloseDay(Body, frozen=True):
    """Close the open business day of that date; nothing can be taken, cancelled or added to it
    afterwards. ``confirmed``: although a verification could not post some receipts.
    """

    date: BusinessDate
    confirmed: bool = False


class Day(Body, frozen=True):
    """A business day: date, financial year (April to March), ``state`` OPEN, CLOSED or NONE (never
    opened one).
    """

    date: str
    financial_year: str
    state: str


class Waiting(Body, frozen=True):
    """What was taken at a counter (or over a bank link) on a date and awaited verification when the
    day ended.
    """

    counter: str
    receipts: int
    paise: int


class Closed(Body, frozen=True):
    """The business day is closed. ``waiting``: what of it is to be verified yet: posted when
    the next day is open, valued at this one; the first counters of them, if they do not fit.
    """

    date: str
    financial_year: str
    state: str
    waiting: list[Waiting]


class AskBook(Body, frozen=True):
    """The cash book of a business date: of one counter, or ('') of all counters of the office and
    below it.
    """

    date: BusinessDate
    office: Office
    counter: NoCounter = ""


class BookLine(Body, frozen=True):
    """One mode (or, in ``counters``, one counter's modes together), paise: what was in hand in the
    morning, came in, was cancelled, went back unpaid before it was sent to the bank, was short
    (negative) or over, went to the bank, moved otherwise, and was in hand in the evening: opening +
    received − cancelled − returned + difference − remitted + other.
    """

    name: str
    opening: int
    receipts: int
    received: int
    cancelled: int
    returned: int
    difference: int
    remitted: int
    other: int
    closing: int


class BookHead(Body, frozen=True):
    """What verification posted to a head on the date, and what came back of it with a dishonoured
    instrument, whenever that was posted.
    """

    head: str
    posted: int
    returned: int


class BookShift(Body, frozen=True):
    """One shift of the date."""

    counter: str
    shift: int
    clerk: str
    state: str
    float_paise: int
    picked_paise: int
    difference_paise: int
    handed_paise: int


class CashBook(Body, frozen=True):
    """The cash book: by mode, by head, by counter, the shifts (at most 300), and what of the date
    was not verified when it ended. ``state``: the day's.

    Cash is till and strong room together, without the floats, which come and go in a shift.
    """

    date: str
    state: str
    office: str
    counter: str
    modes: list[BookLine]
    heads: list[BookHead]
    counters: list[BookLine]
    shifts: list[BookShift]
    waiting: list[Waiting]


OPERATIONS = (
    Operation(
        "days.open",
        OpenDay,
        Day,
        frozenset({Role.OFFICER}),
        keyed=True,
        purpose="open the business day",
        about=About("day", "date"),
    ),
    Operation(
        "days.close",
        CloseDay,
        Closed,
        frozenset({Role.OFFICER}),
        keyed=True,
        purpose="close the business day",
        about=About("day", "date"),
    ),
    Operation(
        "days.today",
        Nothing,
        Day,
        frozenset({Role.CLERK, Role.OFFICER, Role.OPS, Role.BANK, Role.ADMIN}),
        keyed=False,
        principal=True,
        purpose="which business day is open",
    ),
    Operation(
        "days.cash_book",
        AskBook,
        CashBook,
        frozenset({Role.OFFICER}),
        keyed=False,
        purpose="see the cash book of a day",
        within=Within("office", "office"),
        report=True,
    ),
)
