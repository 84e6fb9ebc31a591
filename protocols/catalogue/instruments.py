"""Instruments that came back: the receipt is taken back, its charge and surcharge are debited, the
consumer is told, and for a time no cheque of theirs is taken.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from protocols.catalogue.body import Body
from protocols.operation import About, Operation, Role, Within
from protocols.values import BusinessDate, ConsumerNumber, Mark, NoDate, ReceiptNumber, Text


class Dishonour(Body, frozen=True):
    """Take back a verified receipt whose instrument the bank did not pay; ``reason`` as the bank's
    memo says it.
    """

    receipt: ReceiptNumber
    returned_on: BusinessDate
    reason: Annotated[Text, Meta(min_length=3)]


class Dishonoured(Body, frozen=True):
    """What was taken back, what is owed besides it, until when no cheque is taken ('' if none), and
    the notice to the consumer, line by line; ``contact``: its number in the contact history.
    """

    receipt: str
    consumer: str
    name: str
    amount_paise: int
    charge_paise: int
    surcharge_paise: int
    no_cheque_until: NoDate
    notice: list[str]
    contact: int


class Returned(Body, frozen=True):
    """Ask which instruments of a consumer came back; after the page that answered ``mark``."""

    consumer: ConsumerNumber
    mark: Mark = ""


class ReturnedOne(Body, frozen=True):
    """One instrument that came back."""

    receipt: str
    mode: str
    instrument: str
    amount_paise: int
    returned_on: str
    reason: str
    charge_paise: int
    surcharge_paise: int
    no_cheque_until: NoDate
    notice: list[str]
    by: str
    at: str


class ReturnedAll(Body, frozen=True):
    """They, newest first, of the newest 100; ``mark``: where the next page begins, '' at the
    end.
    """

    instruments: list[ReturnedOne]
    mark: str = ""


OFFICERS = frozenset({Role.OFFICER})
OPERATIONS = (
    Operation(
        "instruments.dishonour",
        Dishonour,
        Dishonoured,
        OFFICERS,
        keyed=True,
        purpose="take back a receipt whose cheque was returned",
        about=About("receipt", "receipt"),
        within=Within("receipt", "receipt"),
    ),
    Operation(
        "instruments.returned",
        Returned,
        ReturnedAll,
        OFFICERS | {Role.CLERK},
        keyed=False,
        purpose="see which cheques of a consumer came back",
    ),
)
