"""Finding consumers and saying what they owe; loading them from the board's files."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from protocols.catalogue.body import Body
from protocols.operation import Operation, Role
from protocols.values import BusinessDate, ConsumerNumber, Name, PaiseDue, Text

Head = Literal["LPSC", "ARREARS", "CURRENT", "FIXED", "DUTY", "ADVANCE"]
"""Charge heads a consumer's dues are kept under, in the default order of allocation; ADVANCE is
what the board owes.
"""


class Find(Body, frozen=True):
    """Find by number, meter, mobile, or the beginning of a name (case-insensitive). At most
    ``limit`` rows.
    """

    by: Literal["number", "name", "meter", "mobile"]
    text: Name
    limit: Annotated[int, Meta(ge=1, le=50)] = 10


class Consumer(Body, frozen=True):
    """One consumer as the counter shows it. ``sanctioned_load_w`` in watts; ``due_paise`` = Σ heads
    − advance.
    """

    number: str
    name: str
    address: str
    category: str
    meter: str
    mobile: str
    sanctioned_load_w: int
    due_paise: PaiseDue


class Found(Body, frozen=True):
    """The rows found, and whether there were more than the limit."""

    consumers: list[Consumer]
    more: bool


class Dues(Body, frozen=True):
    """Ask what a consumer owes now."""

    consumer: ConsumerNumber


class HeadDue(Body, frozen=True):
    """What stands under one head, paise."""

    head: str
    due_paise: PaiseDue


class DuesAnswer(Body, frozen=True):
    """Dues by head, the total, money received but not yet verified, and the last receipt ('' if
    none) with its time.

    ``payable_paise`` = total − unverified: what the clerk asks for.
    """

    number: str
    name: str
    heads: list[HeadDue]
    total_paise: PaiseDue
    unverified_paise: PaiseDue
    payable_paise: PaiseDue
    last_receipt: str = ""
    last_paise: int = 0
    last_at: str = ""


class Row(Body, frozen=True):
    """One consumer of a load file with opening dues by head in paise."""

    number: ConsumerNumber
    name: Name
    address: Text
    category: Annotated[str, Meta(pattern=r"^[A-Z0-9-]{1,12}\Z")]
    meter: Annotated[str, Meta(pattern=r"^[A-Z0-9-]{0,20}\Z")]
    mobile: Annotated[str, Meta(pattern=r"^[0-9]{0,15}\Z")]
    sanctioned_load_w: Annotated[int, Meta(ge=0, le=100_000_000)]
    dues: dict[Head, PaiseDue]


class Load(Body, frozen=True):
    """Load up to 500 consumers; ``as_of`` is the date of their opening dues. All rows or none."""

    as_of: BusinessDate
    rows: Annotated[list[Row], Meta(min_length=1, max_length=500)]


class Loaded(Body, frozen=True):
    """How many were new, how many stood there already with the same data, and the opening dues
    posted, paise.
    """

    added: int
    already: int
    dues_paise: PaiseDue


READERS = frozenset({Role.CLERK, Role.OFFICER})
OPERATIONS = (
    Operation("consumers.find", Find, Found, READERS, keyed=False, purpose="find a consumer"),
    Operation(
        "consumers.dues", Dues, DuesAnswer, READERS, keyed=False, purpose="what a consumer owes"
    ),
    Operation(
        "consumers.load",
        Load,
        Loaded,
        frozenset({Role.ADMIN}),
        keyed=True,
        purpose="load consumers with opening dues",
    ),
)
