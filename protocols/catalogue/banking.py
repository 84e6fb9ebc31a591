"""Bank links: a scroll of payments with control totals, posted whole or refused whole."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from protocols.catalogue.body import Body
from protocols.operation import Operation, Role
from protocols.values import BusinessDate, Paise, PaisePaid

Reference = Annotated[str, Meta(pattern=r"^[A-Za-z0-9/_.-]{1,35}\Z")]


class Line(Body, frozen=True):
    """One line of a scroll: the bank's own payment reference (unique for ever within the bank),
    account, paise.

    ``consumer`` is free text of the bank: a number that is not one of ours goes to the bank's
    suspense account.
    """

    reference: Reference
    consumer: Annotated[str, Meta(pattern=r"^[A-Za-z0-9-]{1,20}\Z")]
    amount_paise: PaisePaid
    value_date: BusinessDate


class Post(Body, frozen=True):
    """Post (part of) a scroll: its name, control count and total over these lines, and the lines (≤
    500).
    """

    scroll: Annotated[str, Meta(pattern=r"^[A-Za-z0-9/_.-]{1,40}\Z")]
    part: Annotated[int, Meta(ge=1, le=10_000)]
    control_count: Annotated[int, Meta(ge=1, le=500)]
    control_paise: Paise
    lines: Annotated[list[Line], Meta(min_length=1, max_length=500)]


class LineOutcome(Body, frozen=True):
    """What became of a line: its receipt number, MATCHED or SUSPENSE."""

    reference: str
    outcome: str
    receipt: str


class Posted(Body, frozen=True):
    """The scroll's result: "matched 9,981 · suspense 19" with totals in paise, and the outcome of
    each line.
    """

    scroll: str
    part: int
    matched: int
    matched_paise: int
    suspense: int
    suspense_paise: int
    lines: list[LineOutcome]


OPERATIONS = (
    Operation(
        "banking.post",
        Post,
        Posted,
        frozenset({Role.BANK}),
        keyed=True,
        principal=True,
        purpose="post a scroll of bank payments",
    ),
)
