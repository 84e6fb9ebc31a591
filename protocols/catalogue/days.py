"""The business day: opened and closed by an officer; receipts carry its date and financial year,
never now().
"""

from __future__ import annotations

from protocols.catalogue.body import Body, Nothing
from protocols.operation import About, Operation, Role
from protocols.values import BusinessDate


class OpenDay(Body, frozen=True):
    """Open a business day. It must be after every day before it."""

    date: BusinessDate


class CloseDay(Body, frozen=True):
    """Close the open business day of that date; nothing can be taken, cancelled or added to it
    afterwards.
    """

    date: BusinessDate


class Day(Body, frozen=True):
    """A business day: date, financial year (April to March), ``state`` OPEN, CLOSED or NONE (never
    opened one).
    """

    date: str
    financial_year: str
    state: str


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
        Day,
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
)
