"""The ledger, read: what an account came to and how, what all accounts come to, whether all of it
fits. Nothing here changes anything.

A proof is walked in parts, so that it never stalls a payment; each part is one snapshot. Amounts
are paise; a balance is what is owed to the board, negative what the board holds or owes.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from protocols.catalogue.body import Body
from protocols.operation import Operation, Role, Within
from protocols.values import ConsumerNumber, NoDate

AccountName = Annotated[
    str,
    Meta(
        pattern=r"^([A-Z0-9]{1,12}/)?[A-Z][A-Z_]{0,19}\Z",
        description="a head (ARREARS), or one account (C001/CASH, 1000000001/ARREARS)",
    ),
]
Mark = Annotated[
    str,
    Meta(
        pattern=r"^([0-9]{1,18}\.[0-9]{1,18}\.-?[0-9]{1,18})?\Z",
        description="where a page began, as it was answered, or nothing",
    ),
]
Parts = Annotated[int, Meta(ge=0, le=10_000)]


class Check(Body, frozen=True):
    """Recompute part ``part`` (from 0) of ``parts``; 0 parts: the server says how many there are
    and does the first.
    """

    part: Parts = 0
    parts: Parts = 0


class Wrong(Body, frozen=True):
    """One thing that does not fit: the rule, which account, voucher or number, what it must be,
    what it is.
    """

    rule: str
    which: str
    expected: str
    found: str


class Checked(Body, frozen=True):
    """What was found wrong in this part (the first of them), and how much was looked at."""

    part: int
    parts: int
    accounts: int
    wrong: list[Wrong]


class Ask(Body, frozen=True):
    """A consumer's statement from a business date to another ('' from the first, to the last), the
    newest page first. ``mark``: that of the page after, to go on before it.
    """

    consumer: ConsumerNumber
    since: NoDate = ""
    until: NoDate = ""
    mark: Mark = ""
    most: Annotated[int, Meta(ge=1, le=100)] = 50


class HeadMoved(Body, frozen=True):
    """How much a voucher moved one of the consumer's heads."""

    head: str
    paise: int


class Line(Body, frozen=True):
    """One voucher that touched the consumer. ``paid``: how, with the instrument (of a refund: how
    it was paid out); ``about``: the receipts it is about, the note or order, the other consumer;
    ``heads``: what it did to each head; ``paise``: to what is payable; ``balance``: what was
    payable after it; ``rule``: by which rule the heads were chosen.
    """

    day: str
    at: str
    voucher: int
    number: str
    kind: str
    words: str
    paid: str
    about: str
    by: str
    reason: str
    heads: list[HeadMoved]
    paise: int
    balance: int
    rule: str = ""


class Statement(Body, frozen=True):
    """A page: what was payable before its first line, the vouchers in order, what was payable
    after the last. ``more``: there are older ones; ask again with the ``mark``.
    """

    consumer: str
    opening: int
    lines: list[Line]
    closing: int
    more: bool
    mark: str = ""


class AskTrial(Body, frozen=True):
    """The trial balance at the end of a business date ('': as it stands)."""

    date: NoDate = ""


class GroupBalance(Body, frozen=True):
    """One group of accounts: how many stand at anything, the sum of those in debit and of those in
    credit.
    """

    kind: str
    code: str
    words: str
    accounts: int
    debit: int
    credit: int


class Trial(Body, frozen=True):
    """Every group of accounts; ``debit`` and ``credit`` are equal to the paisa or the ledger is
    wrong.
    """

    date: str
    groups: list[GroupBalance]
    debit: int
    credit: int


class AskSubledger(Body, frozen=True):
    """The accounts under a head, or one account's days; a page of ``most`` after ``after`` ('':
    from the first).
    """

    name: AccountName
    after: Annotated[str, Meta(max_length=20, pattern=r"^[A-Z0-9-]*\Z")] = ""
    most: Annotated[int, Meta(ge=1, le=200)] = 50


class SubledgerLine(Body, frozen=True):
    """A consumer or a counter (of a head), or a business date (of one account): debit, credit and
    what they come to (of an account's day: its balance after that day).
    """

    name: str
    debit: int
    credit: int
    balance: int


class Subledger(Body, frozen=True):
    """What the head or account stands at in all, and a page of what makes it up."""

    name: str
    words: str
    by: Literal["ACCOUNT", "DAY"]
    accounts: int
    debit: int
    credit: int
    lines: list[SubledgerLine]
    more: bool


KEEPERS = frozenset({Role.OFFICER, Role.AUDITOR, Role.ADMIN})
OPERATIONS = (
    Operation(
        "ledger.check",
        Check,
        Checked,
        KEEPERS | {Role.OPS},
        keyed=False,
        purpose="prove the ledger",
        report=True,
    ),
    Operation(
        "ledger.statement",
        Ask,
        Statement,
        frozenset({Role.CLERK, Role.OFFICER, Role.AUDITOR}),
        keyed=False,
        purpose="see a consumer's statement",
        within=Within("consumer", "consumer", counters=True),
    ),
    Operation(
        "ledger.trial_balance",
        AskTrial,
        Trial,
        KEEPERS,
        keyed=False,
        purpose="see the trial balance",
        report=True,
    ),
    Operation(
        "ledger.subledger",
        AskSubledger,
        Subledger,
        KEEPERS,
        keyed=False,
        purpose="see a head's accounts",
        report=True,
    ),
)
