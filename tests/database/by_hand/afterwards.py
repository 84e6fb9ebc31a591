"""The acts upon money after it was taken, and what comes from a bank: in the town and in the book.

As in ``at_counters``, an act foretells how the server answers. This file must not read the ledger's
tables.
"""

from __future__ import annotations

from typing import Final, get_args

from mpowerd.allocation import order_of
from protocols.catalogue.banking import Line, Post
from protocols.catalogue.charges import ChargedHead, Raise
from protocols.catalogue.instruments import Dishonour
from protocols.catalogue.transfers import Match, Move, Refund, SendUp
from protocols.heads import OWN_HEAD
from tests.database.by_hand.at_counters import STRANGER
from tests.database.by_hand.book import BANK, NOBODY, NUMBERS, SERIES, Book, Receipt, pick
from tests.database.officers import agreed
from tests.database.town import Town, codes, decoded

FUNDS: Final = ("CARD", "UPI", "TRANSFER")
SPENT: Final = {
    "TAKEN": "NOT_VERIFIED",
    "CANCELLED": "RECEIPT_CANCELLED",
    "DISHONOURED": "DISHONOURED_ALREADY",
}
"""Why money of a receipt in that state cannot be taken back nor moved."""


def spent(one: Receipt) -> str:
    """Why money of a receipt cannot be taken back nor moved, '' if it can."""
    if one.consumer == NOBODY and not one.holder:
        return "IN_SUSPENSE"
    return SPENT.get(one.state, "")


def too_much(book: Book, consumer: str, paise: int) -> str:
    """Why so much of an advance does not go elsewhere, '' if it does."""
    if paise > book.advance(consumer):
        return "OVER_ADVANCE"
    return "ADVANCE_WAITS" if paise > book.free(consumer) else ""


async def dishonour(t: Town, book: Book, a: int, b: int) -> None:
    """Any instrument comes back; its charge, surcharge and bar are as the answer says."""
    one = pick([r for r in book.receipts if r.mode in {"CHEQUE", "DD", "POSTAL_ORDER"}], a)
    if one is None:
        return
    body = Dishonour(one.number, book.day, "Funds insufficient")
    outcome = await t.ask("omar", "instruments.dishonour", body)
    assert codes([outcome]) == [spent(one)]
    if not spent(one):
        done = decoded("instruments.dishonour", outcome)
        book.returned(one, done.charge_paise, done.surcharge_paise, done.no_cheque_until)


async def move_receipt(t: Town, book: Book, a: int, b: int) -> None:
    """A whole receipt was another consumer's."""
    one = pick([r for r in book.receipts if r.consumer != NOBODY], a)
    if one is None:
        return
    to = [number for number in NUMBERS if number != one.consumer][b % (len(NUMBERS) - 1)]
    moved = "RECEIPT_MOVED" if one.holder else ""
    part = dict(one.parts).get("ADVANCE", 0)
    gone = "ADVANCE_SPENT" if part > book.free(one.consumer, one) else ""
    code = spent(one) or moved or ("MOVE_WHOLE" if one.purpose in OWN_HEAD else gone)
    body = Move(one.consumer, to, one.paise, "by hand", one.number)
    assert await agreed(t, "transfers.move", body) == code
    if not code:
        book.moved(one, to)


async def move_advance(t: Town, book: Book, a: int, b: int) -> None:
    """A part of an advance goes to another consumer."""
    giver, to = NUMBERS[a % len(NUMBERS)], NUMBERS[(a + 1) % len(NUMBERS)]
    paise = 1 + b
    code = too_much(book, giver, paise)
    assert await agreed(t, "transfers.move", Move(giver, to, paise, "by hand")) == code
    if not code:
        book.heads[giver]["ADVANCE"] += paise
        book.pay(to, paise, order_of("DUES"))


async def refund(t: Town, book: Book, a: int, b: int) -> None:
    """A part of an advance is given back."""
    consumer, paise = NUMBERS[a % len(NUMBERS)], 1 + b // 10
    code = too_much(book, consumer, paise)
    assert await agreed(t, "transfers.refund", Refund(consumer, paise, "by hand")) == code
    if not code:
        book.heads[consumer]["ADVANCE"] += paise
        book.stands["HO", "REFUNDS"] -= paise


async def raise_charge(t: Town, book: Book, a: int, b: int) -> None:
    """A note, an order or a plan is charged under its head, each once."""
    heads = get_args(ChargedHead)
    consumer, head, paise = NUMBERS[a % len(NUMBERS)], heads[b % len(heads)], 1 + b // 2
    reference = f"N-{a % 3}"
    known = (consumer, head, reference) in book.charged
    arrears = book.heads[consumer]["ARREARS"]
    over = head == "INSTALMENT" and paise > max(0, arrears)
    code = "CHARGE_KNOWN" if known else "OVER_ARREARS" if over else ""
    body = Raise(consumer, head, paise, reference, "by hand")
    assert await agreed(t, "charges.raise", body) == code
    if not code:
        book.charged.add((consumer, head, reference))
        book.charge(consumer, head, paise)


async def post_scroll(t: Town, book: Book, a: int, b: int) -> None:
    """A bank's scroll: a line of ours and one of nobody; the same once more changes nothing."""
    book.scrolls += 1
    name, day = f"S{book.scrolls}", book.day
    lines = [
        Line(f"{name}-1", NUMBERS[a % len(NUMBERS)], 1 + b, day),
        Line(f"{name}-2", STRANGER, 1 + b // 3, day),
    ]
    body = Post(name, 1, 2, sum(line.amount_paise for line in lines), lines)
    posted = await t.done(BANK, "banking.post", body)
    for line, said in zip(lines, posted.lines, strict=True):
        consumer = line.consumer if line.consumer in NUMBERS else NOBODY
        made = book.taken(BANK, consumer, line.amount_paise, "DUES", "TRANSFER")
        assert (said.receipt, said.outcome == "SUSPENSE") == (made.number, consumer == NOBODY)
    assert await t.done(BANK, "banking.post", body) == posted


async def match(t: Town, book: Book, a: int, b: int) -> None:
    """Any receipt is said to be a consumer's money in suspense."""
    nobodys = [one for one in book.receipts if one.consumer == NOBODY]
    one = pick(nobodys if b % 4 else book.receipts, a)
    if one is None:
        return
    consumer = NUMBERS[b % len(NUMBERS)]
    code = "" if (one.consumer, one.state) == (NOBODY, "TAKEN") else "NOT_IN_SUSPENSE"
    outcome = await t.ask("omar", "transfers.match", Match(one.number, consumer, "by hand"))
    assert codes([outcome]) == [code]
    if not code:
        book.matched(one, consumer)


async def send_up(t: Town, book: Book, a: int, b: int) -> None:
    """What came in by card, UPI or transfer goes up to head office."""
    place = SERIES[a % len(SERIES)], FUNDS[b % len(FUNDS)]
    paise = 1 + b // 4
    code = "OVER_FUND" if paise > book.stands[place] else ""
    body = SendUp(*place, paise, f"UTR-{a}", "by hand")  # type: ignore[arg-type]
    assert await agreed(t, "transfers.send_up", body) == code
    if not code:
        book.shift(paise, place, ("HO", "BANK"))
