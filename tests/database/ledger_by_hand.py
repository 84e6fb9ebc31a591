"""A ledger kept by hand beside the real one, and the acts that both carry out.

``ACTS`` is the table: an act's name and what does it, in the town and in the book, from two numbers
that choose whom, which and how much. An act foretells how the server answers, so a refusal is as
legal as a success. To bring in another kind of act, write what it does to the book and add a row.
This file must not read the ledger's tables.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from mpowerd.allocation import allocate, order_of
from mpowerd.payments.rules import CARRIED, MODES
from mpowerd.payments.whole_days import carry_on
from protocols.catalogue.instruments import Dishonour
from protocols.catalogue.payments import Cancel, Take, Verify, VerifyDay
from protocols.catalogue.shifts import OpenShift
from protocols.catalogue.transfers import Move, Refund
from protocols.heads import HEADS
from tests.database.officers import agreed
from tests.database.town import CONSUMERS, DAY, Town, codes, decoded, here

CLERK_AT: Final = {"C001": "asha", "C002": "bina"}
OFFICER_AT: Final = {"C001": "omar", "C002": "omar.two"}
NUMBERS: Final = [row.number for row in CONSUMERS]


@dataclass
class Receipt:
    """One receipt as the book knows it; ``state`` as the board says it."""

    number: str
    consumer: str
    counter: str
    day: str
    paise: int
    purpose: str
    mode: str
    state: str = "TAKEN"
    counted: bool = False
    moved: bool = False
    parts: list[tuple[str, int]] = field(default_factory=list)
    """The heads it was posted to."""


@dataclass
class Book:
    """What every consumer owes by head, what is received and not verified, every receipt."""

    heads: dict[str, dict[str, int]] = field(
        default_factory=lambda: {
            row.number: {head: row.dues.get(head, 0) for head in HEADS} for row in CONSUMERS
        }
    )
    received: dict[str, int] = field(default_factory=lambda: dict.fromkeys(NUMBERS, 0))
    receipts: list[Receipt] = field(default_factory=list)
    last: dict[str, int] = field(default_factory=lambda: dict.fromkeys(CLERK_AT, 0))
    bars: dict[str, str] = field(default_factory=dict)
    """Until when no cheque of a consumer is taken."""
    day: str = DAY

    def payable(self, consumer: str) -> int:
        """Dues of all heads less what is received."""
        return sum(self.heads[consumer].values()) - self.received[consumer]

    def taken(self, counter: str, body: Take) -> Receipt:
        """Give the next number of the counter to a payment."""
        consumer, paise = body.consumer, body.amount_paise
        self.last[counter] += 1
        number = f"{counter}/2026-27/{self.last[counter]}"
        made = Receipt(number, consumer, counter, self.day, paise, body.purpose, body.mode)
        self.receipts.append(made)
        self.received[consumer] += paise
        return made

    def waiting(self, counter: str = "") -> list[Receipt]:
        """The receipts of the day that await verification, in the order of verification."""
        found = [
            one
            for one in self.receipts
            if one.state == "TAKEN" and one.day == self.day and counter in {"", one.counter}
        ]
        return sorted(found, key=lambda one: (one.counter, int(one.number.rpartition("/")[2])))

    def pay(self, consumer: str, paise: int, order: Sequence[str]) -> list[tuple[str, int]]:
        """Split an amount over a consumer's heads; the parts."""
        parts = allocate(paise, self.heads[consumer], order)
        for head, part in parts:
            self.heads[consumer][head] -= part
        return parts

    def take_back(self, one: Receipt) -> None:
        """What a receipt had paid is owed again."""
        for head, part in one.parts:
            self.heads[one.consumer][head] += part

    def advance(self, consumer: str) -> int:
        """What the board holds for a consumer."""
        return max(0, -self.heads[consumer]["ADVANCE"])

    def verify(self, receipts: list[Receipt]) -> None:
        """Split each over the heads as they stand when its turn comes."""
        for one in receipts:
            one.parts = self.pay(one.consumer, one.paise, order_of(one.purpose))
            self.received[one.consumer] -= one.paise
            one.state = "VERIFIED"


def pick(things: list[Receipt], number: int) -> Receipt | None:
    """Choose one of them, None of none."""
    return things[number % len(things)] if things else None


def payment(book: Book, a: int, b: int) -> tuple[str, Take]:
    """Choose a counter and what is paid there, with the instrument that its mode carries."""
    counter, mode = ("C001", "C002")[a % 2], MODES[a // 2 % len(MODES)]
    paper = {"instrument": f"{a:06d}", "dated": book.day, "bank": "SBI", "branch": "MALL-ROAD"}
    carried = {name: paper[name] for name in CARRIED[mode]}
    purpose = ("ADVANCE", "DUES", "PARTIAL", "DUES")[b % 4]
    body = {"mode": mode, "purpose": purpose, "confirmed": True, **carried}
    return counter, Take(NUMBERS[a % len(NUMBERS)], 1 + b, **body)  # type: ignore[arg-type]


def foretold(book: Book, body: Take) -> str:
    """The code that a payment is refused with, '' none."""
    if body.mode == "CHEQUE" and book.bars.get(body.consumer, "") >= book.day:
        return "CHEQUE_BARRED"
    over = body.purpose != "ADVANCE" and body.amount_paise > book.payable(body.consumer)
    return "ADVANCE_UNMARKED" if over else ""


async def take(t: Town, book: Book, a: int, b: int) -> None:
    """One payment."""
    await take_many(t, book, [payment(book, a, b)])


async def take_batch(t: Town, book: Book, a: int, b: int) -> None:
    """Several payments in one batch, of one consumer too, and one key twice."""
    await take_many(
        t, book, [payment(book, a + n // 2, b // (n + 1)) for n in range(5)], twice=True
    )


async def take_many(
    t: Town, book: Book, paid: list[tuple[str, Take]], *, twice: bool = False
) -> None:
    items = [t.item(CLERK_AT[counter], body) for counter, body in paid]
    outcomes = await t.take(*items, *(items[:1] if twice else ()))
    for (counter, body), outcome in zip(paid, outcomes, strict=False):
        (code,) = codes([outcome])
        assert code == foretold(book, body)
        if not code:
            made = book.taken(counter, body)
            assert decoded("payments.take", outcome).number == made.number
    if twice:
        assert outcomes[-1].replay
        assert outcomes[-1].reply == outcomes[0].reply


async def cancel(t: Town, book: Book, a: int, b: int) -> None:
    """Cancel any receipt there ever was."""
    one = pick(book.receipts, a)
    if one is None:
        return
    code = {"TAKEN": "", "CANCELLED": "RECEIPT_CANCELLED"}.get(one.state, "RECEIPT_VERIFIED")
    code = code or ("" if one.day == book.day else "RECEIPT_OTHER_DAY")
    code = code or ("RECEIPT_COUNTED" if one.counted else "")
    outcome = await t.ask(OFFICER_AT[one.counter], "payments.cancel", Cancel(one.number, "by hand"))
    assert codes([outcome]) == [code]
    if not code:
        one.state = "CANCELLED"
        book.received[one.consumer] -= one.paise


async def verify_one(t: Town, book: Book, a: int, b: int) -> None:
    """Verify one named receipt."""
    one = pick(book.waiting(), a)
    if one is not None:
        await t.done("omar", "payments.verify", Verify(one.counter, one.day, [one.number]))
        book.verify([one])


async def verify_counter(t: Town, book: Book, a: int, b: int) -> None:
    """Verify what awaits it at one counter."""
    counter = ("C001", "C002")[a % 2]
    outcome = await t.ask("omar", "payments.verify", Verify(counter, book.day))
    waiting = book.waiting(counter)
    assert codes([outcome]) == ["" if waiting else "NOTHING_TO_VERIFY"]
    book.verify(waiting)


async def verify_day(t: Town, book: Book, a: int, b: int) -> None:
    """Verify the whole day, step by step."""
    outcome = await t.ask("omar", "payments.verify_day", VerifyDay(book.day))
    waiting = book.waiting()
    assert codes([outcome]) == ["" if waiting else "NOTHING_TO_VERIFY"]
    await carry_on(t.database)
    book.verify(waiting)


SPENT: Final = {
    "TAKEN": "NOT_VERIFIED",
    "CANCELLED": "RECEIPT_CANCELLED",
    "DISHONOURED": "DISHONOURED_ALREADY",
}
"""Why money of a receipt in that state cannot be taken back nor moved."""


async def dishonour(t: Town, book: Book, a: int, b: int) -> None:
    """Any instrument comes back; its charge, surcharge and bar are as the answer says."""
    one = pick([r for r in book.receipts if r.mode in {"CHEQUE", "DD", "POSTAL_ORDER"}], a)
    if one is None:
        return
    body = Dishonour(one.number, book.day, "Funds insufficient")
    outcome = await t.ask("omar", "instruments.dishonour", body)
    code = SPENT.get(one.state, "RECEIPT_MOVED" if one.moved else "")
    assert codes([outcome]) == [code]
    if code:
        return
    done = decoded("instruments.dishonour", outcome)
    book.take_back(one)
    book.heads[one.consumer]["CHEQUE_CHARGE"] += done.charge_paise
    book.heads[one.consumer]["LPSC"] += done.surcharge_paise
    book.bars[one.consumer] = max(done.no_cheque_until, book.bars.get(one.consumer, ""))
    one.state = "DISHONOURED"


async def move_receipt(t: Town, book: Book, a: int, b: int) -> None:
    """A whole receipt was another consumer's."""
    one = pick(book.receipts, a)
    if one is None:
        return
    to = [number for number in NUMBERS if number != one.consumer][b % (len(NUMBERS) - 1)]
    body = Move(one.consumer, to, one.paise, "by hand", one.number)
    code = SPENT.get(one.state, "RECEIPT_MOVED" if one.moved else "")
    assert await agreed(t, "transfers.move", body) == code
    if not code:
        book.take_back(one)
        book.pay(to, one.paise, order_of("DUES"))
        one.moved = True


async def move_advance(t: Town, book: Book, a: int, b: int) -> None:
    """A part of an advance goes to another consumer."""
    giver, to = NUMBERS[a % len(NUMBERS)], NUMBERS[(a + 1) % len(NUMBERS)]
    paise = 1 + b
    code = "OVER_ADVANCE" if paise > book.advance(giver) else ""
    assert await agreed(t, "transfers.move", Move(giver, to, paise, "by hand")) == code
    if not code:
        book.heads[giver]["ADVANCE"] += paise
        book.pay(to, paise, order_of("DUES"))


async def refund(t: Town, book: Book, a: int, b: int) -> None:
    """A part of an advance is given back."""
    consumer, paise = NUMBERS[a % len(NUMBERS)], 1 + b // 10
    code = "OVER_ADVANCE" if paise > book.advance(consumer) else ""
    assert await agreed(t, "transfers.refund", Refund(consumer, paise, "by hand")) == code
    if not code:
        book.heads[consumer]["ADVANCE"] += paise


async def count_a_till(t: Town, book: Book, a: int, b: int) -> None:
    """A shift is counted and closed, the next one opened."""
    counter = ("C001", "C002")[a % 2]
    await t.close_shift(CLERK_AT[counter])
    await t.done(CLERK_AT[counter], "shifts.open", OpenShift())
    for one in book.receipts:
        one.counted = one.counted or one.counter == counter


async def next_day(t: Town, book: Book, a: int, b: int) -> None:
    """Close shifts and day, open the next."""
    await t.close_day(book.day)
    here["date"] += dt.timedelta(days=1)
    book.day = str(here["date"])
    await t.open_day(book.day)


ACTS: Final[dict[str, Callable[[Town, Book, int, int], Awaitable[None]]]] = {
    "take": take,
    "take a batch": take_batch,
    "cancel": cancel,
    "verify one": verify_one,
    "verify a counter": verify_counter,
    "verify the day": verify_day,
    "count a till": count_a_till,
    "dishonour": dishonour,
    "move a receipt": move_receipt,
    "move an advance": move_advance,
    "refund": refund,
    "next day": next_day,
}
