"""Receipt books: numbered leaves on paper, given to a counter for when the line is down, entered
later once.

A book is registered before it is written in. Its leaves are entered in their order, none left out:
a leaf that was spoilt is explained. Each becomes a receipt of the book's own series, of the day on
which it is entered; its number and its date stay with it. Money of an unknown consumer waits in the
book's suspense. Entering a leaf again changes nothing and says so.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from protocols.catalogue.body import Body
from protocols.catalogue.payments import Mode
from protocols.operation import Operation, Role, Within
from protocols.values import BusinessDate, CounterCode, PaisePaid, Text

LeafNumber = Annotated[int, Meta(ge=1, le=999_999_999)]
Why = Annotated[Text, Meta(min_length=3)]


class Register(Body, frozen=True):
    """Register a book of leaves ``first`` to ``last`` that is given to a counter. Its code names
    its series, so it is no counter's.
    """

    book: CounterCode
    counter: CounterCode
    first: LeafNumber
    last: LeafNumber


class Leaf(Body, frozen=True):
    """A leaf as it was written: its number, the date on it, consumer, amount, mode, instrument.

    ``consumer`` as it can be read: what is no number of ours goes to the book's suspense.
    """

    leaf: LeafNumber
    date: BusinessDate
    consumer: Annotated[str, Meta(pattern=r"^[A-Za-z0-9-]{1,20}\Z")]
    amount_paise: PaisePaid
    mode: Mode = "CASH"
    instrument: Annotated[str, Meta(pattern=r"^[A-Za-z0-9/_.-]{0,24}\Z")] = ""


class Spoilt(Body, frozen=True):
    """A leaf that was not used for a receipt, and why."""

    leaf: LeafNumber
    reason: Why


class Enter(Body, frozen=True):
    """Enter the next leaves of a book, written and spoilt together without a gap. Those that were
    entered before are harmless if they say the same; one that says something else refuses all.
    """

    book: CounterCode
    leaves: Annotated[list[Leaf], Meta(max_length=200)] = []
    spoilt: Annotated[list[Spoilt], Meta(max_length=200)] = []


class LeafOutcome(Body, frozen=True):
    """What became of a leaf: ENTERED, SUSPENSE, BEFORE (it was entered already) or SPOILT; its
    receipt.
    """

    leaf: int
    outcome: str
    receipt: str


class Entered(Body, frozen=True):
    """The outcome of each leaf, and which comes next."""

    book: str
    leaves: list[LeafOutcome]
    next_leaf: int


class AskBook(Body, frozen=True):
    """How does a book stand?"""

    book: CounterCode


class CloseBook(Body, frozen=True):
    """Close a book for good; the leaves from ``next_leaf`` on were never used. It is said again, so
    that no leaf is forgotten.
    """

    book: CounterCode
    next_leaf: Annotated[int, Meta(ge=1, le=1_000_000_000)]
    reason: Why


class Book(Body, frozen=True):
    """A book: its leaves, how many were entered, spoilt, in suspense, their total; ``state`` OPEN
    or CLOSED.
    """

    book: str
    counter: str
    first: int
    last: int
    next_leaf: int
    entered: int
    spoilt: int
    suspense: int
    total_paise: int
    state: str


BOTH = frozenset({Role.CLERK, Role.OFFICER})
OFFICERS = frozenset({Role.OFFICER})
OF_COUNTER, OF_BOOK = Within("counter", "counter"), Within("counter", "book")
OPERATIONS = (
    Operation(
        "receipt_books.register",
        Register,
        Book,
        OFFICERS,
        keyed=True,
        purpose="register a receipt book",
        within=OF_COUNTER,
    ),
    Operation(
        "receipt_books.enter",
        Enter,
        Entered,
        BOTH,
        keyed=True,
        purpose="enter leaves of a receipt book",
        within=OF_BOOK,
    ),
    Operation(
        "receipt_books.show",
        AskBook,
        Book,
        BOTH,
        keyed=False,
        purpose="see how a receipt book stands",
        within=OF_BOOK,
    ),
    Operation(
        "receipt_books.close",
        CloseBook,
        Book,
        OFFICERS,
        keyed=True,
        purpose="close a receipt book",
        within=OF_BOOK,
    ),
)
