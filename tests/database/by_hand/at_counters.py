"""The acts of a counter's day, each carried out in the town and in the book.

Two numbers choose whom, which and how much. An act foretells how the server answers, so a refusal
is as legal as a success. This file must not read the ledger's tables.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

from mpowerd.payments.rules import CARRIED, MODES
from protocols.catalogue.payments import Cancel, Mode, Take, Verify, VerifyDay
from protocols.catalogue.receipt_books import Enter, Leaf, Register, Spoilt
from protocols.catalogue.shifts import OpenShift, PickUpCash, Witness
from protocols.heads import OWN_HEAD
from tests.database.by_hand.book import CLERK_AT, NOBODY, NUMBERS, PAPER, SERIES, Book, pick
from tests.database.town import Town, carry_on, cash_of, codes, decoded, here

OFFICER_AT: Final = {"C001": "omar", "C002": "omar.two"}
PURPOSES: Final = ("ADVANCE", "DUES", "PARTIAL", "DUES", *OWN_HEAD, "DUES")
STRANGER: Final = "0000000077"
"""No consumer of ours."""
LEAVES: Final = 10_000


def payment(book: Book, a: int, b: int) -> tuple[str, Take]:
    """Choose a counter and what is paid there, with the instrument that its mode carries."""
    counter, mode = ("C001", "C002")[a % 2], MODES[a // 2 % len(MODES)]
    paper = {"instrument": f"{a:06d}", "dated": book.day, "bank": "SBI", "branch": "MALL-ROAD"}
    carried = {name: paper[name] for name in CARRIED[mode]}
    body = {"mode": mode, "purpose": PURPOSES[b % len(PURPOSES)], "confirmed": True, **carried}
    return counter, Take(NUMBERS[a % len(NUMBERS)], 1 + b, **body)  # type: ignore[arg-type]


def foretold(book: Book, body: Take) -> str:
    """The code that a payment is refused with, '' none."""
    if body.mode == "CHEQUE" and book.bars.get(body.consumer, "") >= book.day:
        return "CHEQUE_BARRED"
    owed = book.owed(body.consumer, body.purpose)
    if body.purpose == "ADVANCE" or body.amount_paise <= owed:
        return ""
    if body.purpose in OWN_HEAD:
        return "OVER_HEAD"
    return "PAID_AHEAD" if owed < 0 else "ADVANCE_UNMARKED"


async def take(t: Town, book: Book, a: int, b: int) -> None:
    """One payment."""
    await _take(t, book, [payment(book, a, b)])


async def take_batch(t: Town, book: Book, a: int, b: int) -> None:
    """Several payments in one batch, of one consumer too, and one key twice."""
    await _take(t, book, [payment(book, a + n // 2, b // (n + 1)) for n in range(5)], twice=True)


async def _take(t: Town, book: Book, paid: list[tuple[str, Take]], *, twice: bool = False) -> None:
    items = [t.item(CLERK_AT[counter], body) for counter, body in paid]
    outcomes = await t.take(*items, *(items[:1] if twice else ()))
    for (counter, body), outcome in zip(paid, outcomes, strict=False):
        (code,) = codes([outcome])
        assert code == foretold(book, body)
        if not code:
            said = (body.consumer, body.amount_paise, body.purpose, body.mode)
            made = book.taken(counter, *said)
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
    gone = "TILL_SHORT" if one.mode == "CASH" else "MONEY_GONE_UP"
    code = code or (gone if book.stands[one.hand] < one.paise else "")
    who = OFFICER_AT.get(one.series, "omar")
    outcome = await t.ask(who, "payments.cancel", Cancel(one.number, "by hand"))
    assert codes([outcome]) == [code]
    if not code:
        book.cancelled(one)


async def verify_one(t: Town, book: Book, a: int, b: int) -> None:
    """Verify one named receipt."""
    one = pick(book.waiting(), a)
    if one is not None:
        await t.done("omar", "payments.verify", Verify(one.series, one.day, [one.number]))
        book.verified([one])


async def verify_counter(t: Town, book: Book, a: int, b: int) -> None:
    """Verify what awaits it at one counter, of the bank or of the book."""
    series = SERIES[a % len(SERIES)]
    outcome = await t.ask("omar", "payments.verify", Verify(series, book.day))
    waiting = book.waiting(series)
    assert codes([outcome]) == ["" if waiting else "NOTHING_TO_VERIFY"]
    book.verified(waiting)


async def verify_day(t: Town, book: Book, a: int, b: int) -> None:
    """Verify the whole day, step by step."""
    outcome = await t.ask("omar", "payments.verify_day", VerifyDay(book.day))
    waiting = book.waiting()
    assert codes([outcome]) == ["" if waiting else "NOTHING_TO_VERIFY"]
    await carry_on(t.database)
    book.verified(waiting)


async def pick_up(t: Town, book: Book, a: int, b: int) -> None:
    """A part of a till's cash goes to the strong room, with a witness who counted it."""
    counter = ("C001", "C002")[a % 2]
    there, paise = book.stands[counter, "CASH"], b // 4
    code = "PICK_UP_NOTHING" if not paise else "PICK_UP_TOO_MUCH" if paise > there else ""
    outcome = await t.ask(CLERK_AT[counter], "shifts.pick_up", PickUpCash(cash_of(paise)))
    assert codes([outcome]) == [code]
    if not code:
        offered = decoded("shifts.pick_up", outcome)
        await t.done("omar", "shifts.witness", Witness(offered.pick_up, paise, counter))
        book.shift(paise, (counter, "CASH"), (counter, "STRONG_ROOM"))


async def count_a_till(t: Town, book: Book, a: int, b: int) -> None:
    """A shift is counted and closed, the next one opened."""
    counter = ("C001", "C002")[a % 2]
    await t.close_shift(CLERK_AT[counter])
    await t.done(CLERK_AT[counter], "shifts.open", OpenShift())
    _counted(book, counter)


def _counted(book: Book, counter: str) -> None:
    book.shift(book.stands[counter, "CASH"], (counter, "CASH"), (counter, "STRONG_ROOM"))
    for one in book.receipts:
        one.counted = one.counted or one.series == counter


async def give_a_book(t: Town) -> None:
    """Asha has a book of paper receipts for when the line is down."""
    await t.done("omar", "receipt_books.register", Register(PAPER, "C001", 1, LEAVES))


async def enter_leaves(t: Town, book: Book, a: int, b: int) -> None:
    """Leaves written on paper are entered later, one of them spoilt, one of nobody we know; and
    once more, which changes nothing.
    """
    mode: Mode = ("CASH", "CHEQUE", "UPI")[a % 3]
    known, first = NUMBERS[a % len(NUMBERS)], book.leaves + 1
    written = str(dt.date.fromisoformat(book.day) - dt.timedelta(days=a % 4))
    instrument = "" if mode == "CASH" else f"{a:06d}"
    leaves = [
        Leaf(first, written, known, 1 + b, mode, instrument),
        Leaf(first + 1, written, (STRANGER, known)[b % 2], 1 + b // 2),
    ]
    body = Enter(PAPER, leaves, [Spoilt(first + 2, "torn in two")])
    entered = (await t.done("asha", "receipt_books.enter", body)).leaves
    for leaf, said in zip(leaves, entered, strict=False):
        consumer = leaf.consumer if leaf.consumer in NUMBERS else NOBODY
        made = book.taken(PAPER, consumer, leaf.amount_paise, "DUES", leaf.mode)
        made.counted = True
        assert (said.receipt, said.outcome == "SUSPENSE") == (made.number, consumer == NOBODY)
    again = (await t.done("asha", "receipt_books.enter", body)).leaves
    assert [(one.receipt, one.outcome) for one in again] == [
        (one.receipt, "BEFORE") for one in entered
    ]
    book.leaves += 3


async def next_day(t: Town, book: Book, a: int, b: int) -> None:
    """Close shifts and day, open the next."""
    await t.close_day(book.day)
    for counter in CLERK_AT:
        _counted(book, counter)
    here["date"] += dt.timedelta(days=1)
    book.day = str(here["date"])
    await t.open_day(book.day)
