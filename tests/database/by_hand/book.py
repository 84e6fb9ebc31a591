"""A ledger kept by hand beside the real one: every account, every receipt, every number.

Each method is one thing that happens to money, as an accountant would book it. ``stands`` is every
account that is no consumer's, by owner and code as the chart names them; debit is positive. This
file must not read the ledger's tables, nor know how an act is asked for.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from mpowerd.allocation import allocate, order_of
from protocols.heads import HEADS, OWN_HEAD
from tests.database.town import CONSUMERS, DAY

CLERK_AT: Final = {"C001": "asha", "C002": "bina"}
PAPER: Final = "B0001"
"""The book of paper receipts."""
BANK: Final = "SBI"
SERIES: Final = ("C001", "C002", BANK, PAPER)
"""In the order in which they were made: that of verification."""
NUMBERS: Final = [row.number for row in CONSUMERS]
PAPERS: Final = ("CHEQUE", "DD", "POSTAL_ORDER")
NOBODY: Final = ""
"""The consumer of money in suspense."""
HELD: Final = {"DUTY": "DUTY_HELD", "COMPOUNDING": "COMPOUNDING_HELD"}
"""The State's heads, and where what was collected under them is held."""


@dataclass
class Receipt:
    """One receipt as the book knows it; ``state`` as the board says it."""

    number: str
    consumer: str
    series: str
    day: str
    paise: int
    purpose: str
    mode: str
    state: str = "TAKEN"
    counted: bool = False
    holder: str = ""
    """To whom its money was moved or matched; '': nobody but its consumer."""
    parts: list[tuple[str, int]] = field(default_factory=list)
    """The heads it was posted to."""

    @property
    def hand(self) -> tuple[str, str]:
        """The account its money lies in: a book's cash was handed in with it."""
        cash = "STRONG_ROOM" if self.series == PAPER else "CASH"
        return self.series, cash if self.mode == "CASH" else self.mode


@dataclass
class Book:
    """What every consumer owes by head, what is received and not verified, every receipt."""

    heads: dict[str, dict[str, int]] = field(
        default_factory=lambda: {
            row.number: {head: row.dues.get(head, 0) for head in HEADS} for row in CONSUMERS
        }
    )
    stands: Counter[tuple[str, str]] = field(default_factory=Counter)
    received: dict[str, Counter[str]] = field(
        default_factory=lambda: {number: Counter() for number in NUMBERS}
    )
    """By consumer, then by what it pays: a head of its own, or '' for dues."""
    receipts: list[Receipt] = field(default_factory=list)
    last: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SERIES, 0))
    bars: dict[str, str] = field(default_factory=dict)
    """Until when no cheque of a consumer is taken."""
    charged: set[tuple[str, str, str]] = field(default_factory=set)
    """Consumer, head and reference of every charge."""
    scrolls: int = 0
    leaves: int = 0
    day: str = DAY

    def __post_init__(self) -> None:
        for row in CONSUMERS:
            for head, paise in row.dues.items():
                self.stands["HO", "STATE_DUES" if head in HELD else "OPENING"] -= paise

    def payable(self, consumer: str) -> int:
        """All heads less what is received: what a statement closes with."""
        return sum(self.heads[consumer].values()) - self.received[consumer].total()

    def owed(self, consumer: str, purpose: str) -> int:
        """What may be paid for a purpose: its own head, or all the others, less what is received
        for it.
        """
        own = OWN_HEAD.get(purpose)
        heads, received = self.heads[consumer], self.received[consumer]
        if own:
            return heads[own] - received[own]
        return sum(p for head, p in heads.items() if head not in OWN_HEAD.values()) - received[""]

    def taken(self, series: str, consumer: str, paise: int, purpose: str, mode: str) -> Receipt:
        """Give the next number of a series to money of a consumer, or of nobody: into suspense."""
        self.last[series] += 1
        number = f"{series}/2026-27/{self.last[series]}"
        made = Receipt(number, consumer, series, self.day, paise, purpose, mode)
        self.receipts.append(made)
        self.stands[made.hand] += paise
        self._received(made, paise)
        return made

    def _received(self, one: Receipt, paise: int) -> None:
        if one.consumer == NOBODY:
            self.stands[one.series, "SUSPENSE"] -= paise
        else:
            self.received[one.consumer][OWN_HEAD.get(one.purpose, "")] += paise

    def cancelled(self, one: Receipt) -> None:
        """The money goes back to who brought it."""
        one.state = "CANCELLED"
        self.stands[one.hand] -= one.paise
        self._received(one, -one.paise)

    def waiting(self, series: str = "") -> list[Receipt]:
        """The receipts of the day that await verification, in the order of verification."""
        found = [
            one
            for one in self.receipts
            if (one.state, one.day) == ("TAKEN", self.day)
            and one.consumer != NOBODY
            and series in {"", one.series}
        ]
        return sorted(found, key=lambda one: SERIES.index(one.series))  # each in its own order

    def verified(self, receipts: list[Receipt]) -> None:
        """Split each over the heads as they stand when its turn comes."""
        for one in receipts:
            one.parts = self.pay(one.consumer, one.paise, order_of(one.purpose))
            self._received(one, -one.paise)
            one.state = "VERIFIED"

    def pay(self, consumer: str, paise: int, order: Sequence[str]) -> list[tuple[str, int]]:
        """Split an amount over a consumer's heads; the parts."""
        parts = allocate(paise, self.heads[consumer], order)
        self._paid(consumer, parts, 1)
        return parts

    def take_back(self, one: Receipt) -> None:
        """What a receipt had paid is owed again."""
        self._paid(one.holder or one.consumer, one.parts, -1)

    def _paid(self, consumer: str, parts: Sequence[tuple[str, int]], sign: int) -> None:
        for head, part in parts:
            self.heads[consumer][head] -= sign * part
            if head in HELD:
                self.stands["HO", HELD[head]] -= sign * part
                self.stands["HO", "STATE_DUES"] += sign * part

    def charge(self, consumer: str, head: str, paise: int) -> None:
        """Owed, and earned; but a plan moves arrears, and a compounding fee is the State's."""
        self.heads[consumer][head] += paise
        if head == "INSTALMENT":
            self.heads[consumer]["ARREARS"] -= paise
        else:
            self.stands["HO", "STATE_DUES" if head in HELD else "EARNED"] -= paise

    def returned(self, one: Receipt, charge: int, surcharge: int, barred_until: str) -> None:
        """An instrument came back."""
        whose = one.holder or one.consumer
        self.take_back(one)
        self.stands[one.hand] -= one.paise
        self.charge(whose, "CHEQUE_CHARGE", charge)
        self.charge(whose, "LPSC", surcharge)
        self.bars[whose] = max(barred_until, self.bars.get(whose, ""))
        one.state = "DISHONOURED"

    def matched(self, one: Receipt, consumer: str) -> None:
        """Money in suspense found its consumer."""
        self.stands[one.series, "SUSPENSE"] += one.paise
        one.holder, one.state = consumer, "VERIFIED"
        one.parts = self.pay(consumer, one.paise, order_of("DUES"))

    def moved(self, one: Receipt, to: str) -> None:
        """A whole payment was another consumer's."""
        self.take_back(one)
        one.holder = to
        one.parts = self.pay(to, one.paise, order_of("DUES"))

    def advance(self, consumer: str) -> int:
        """What the board holds for a consumer."""
        return max(0, -self.heads[consumer]["ADVANCE"])

    def free(self, consumer: str, besides: Receipt | None = None) -> int:
        """What of an advance may go elsewhere: not what came on paper and no bank has credited."""
        waits = sum(
            dict(one.parts).get("ADVANCE", 0)
            for one in self.receipts
            if one.mode in PAPERS and one.state == "VERIFIED" and one is not besides
            if (one.holder or one.consumer) == consumer
        )
        return max(0, self.advance(consumer) - waits)

    def shift(self, paise: int, source: tuple[str, str], target: tuple[str, str]) -> None:
        """Move money between two accounts that are no consumer's."""
        self.stands[source] -= paise
        self.stands[target] += paise

    def accounts(self) -> dict[tuple[str, str], int]:
        """Every account that stands at anything, the consumers' too."""
        found = {place: paise for place, paise in self.stands.items() if paise}
        for number in NUMBERS:
            mine = defaultdict(int, {"RECEIVED": -self.received[number].total()})
            mine |= self.heads[number]
            found |= {(number, code): paise for code, paise in mine.items() if paise}
        return found


def pick(things: list[Receipt], number: int) -> Receipt | None:
    """Choose one of them, None of none."""
    return things[number % len(things)] if things else None
