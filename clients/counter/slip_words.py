"""What is typed about bank slips and the cash book, as the operations it means. Pure.

The same words are typed at a counter and after ``mpower remit``. This file must not know the link
nor the screen.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from clients.counter.mistyped import Mistyped, amount, date
from clients.counter.till_words import Typed, cash_of
from protocols.catalogue.days import AskBook
from protocols.catalogue.remittance import (
    AskPending,
    AskSlip,
    AskSlips,
    Cheque,
    MakeSlip,
    Realise,
    Sort,
)

KINDS: Final = ("CASH", "CHEQUE", "DD", "CARD", "UPI", "TRANSFER", "POSTAL_ORDER")
PLACES: Final = ("LOCAL", "OUTSTATION")
USAGE: Final = "slip pending|sort|make|list|again|realise ..."
FORMS: Final = (
    ("slip pending SD-101", "what the office has for the bank"),
    ("slip sort C001/2026-27/45 PNB Patna", "a cheque's bank and city: local or outstation"),
    ("slip make SD-101 cash 500x20 coins 45", "the cash slip, by denomination"),
    ("slip make SD-101 cheque PNB local total 800", "a bank's local cheques, or outstation"),
    ("slip make SD-101 upi total 800", "any other mode: card, upi, transfer, dd, postal_order"),
    ("slip list SD-101 open", "the slips, or those that are not credited yet"),
    ("slip again SD-101/2026-27/42", "print a slip again: DUPLICATE"),
    ("slip realise SD-101/2026-27/42 2026-04-03 UTR77 800", "the bank has credited it"),
)


def slip(words: list[str]) -> Typed:
    """Read what follows the word ``slip``."""
    known = VERBS.get(words[0].lower()) if words else None
    if known is None:
        raise Mistyped(f"Say what about a slip: {', '.join(VERBS)}.")
    return known(words[1:])


def book(words: list[str]) -> Typed:
    """Read ``DATE OFFICE [COUNTER]``."""
    if len(words) not in {2, 3}:
        raise Mistyped("Say the day and the office: 'book 2026-04-01 SD-101 [C001]'.")
    counter = words[2].upper() if len(words) == 3 else ""
    return Typed("days.cash_book", AskBook(date(words[0]), words[1].upper(), counter))


def _pending(words: list[str]) -> Typed:
    return Typed("remittance.pending", AskPending(_office(words, "slip pending SD-101")))


def _list(words: list[str]) -> Typed:
    office = _office(words, "slip list SD-101 [open]")
    return Typed("remittance.slips", AskSlips(office, waiting=words[1:] == ["open"]))


def _again(words: list[str]) -> Typed:
    return Typed("remittance.again", AskSlip(_office(words, "slip again SD-101/2026-27/42")))


def _sort(words: list[str]) -> Typed:
    if len(words) < 3:
        raise Mistyped("Say receipt, bank and city: 'slip sort C001/2026-27/45 PNB Patna'.")
    cheque = Cheque(words[0].upper(), words[1].upper(), " ".join(words[2:]))
    return Typed("remittance.sort", Sort([cheque]))


def _make(words: list[str]) -> Typed:
    if len(words) < 2:
        raise Mistyped("Say office and kind: 'slip make SD-101 cheque PNB local total 800'.")
    office, kind, rest = words[0].upper(), words[1].upper(), words[2:]
    if kind not in KINDS:
        raise Mistyped(f"'{words[1]}' is no kind of slip: say {', '.join(KINDS).lower()}.")
    if kind == "CASH":
        cash, rest = cash_of(rest)
        if rest:
            raise Mistyped(f"'{rest[0]}' is no cash: write 500x2 for two notes of 500.")
        return Typed("remittance.make", MakeSlip(office, "CASH", cash=cash), counts=len(words) == 2)
    bank = place = ""
    if kind == "CHEQUE" and len(rest) >= 2 and rest[1].upper() in PLACES:
        bank, place, rest = rest[0].upper(), rest[1].upper(), rest[2:]
    if len(rest) != 2 or rest[0].lower() != "total":
        raise Mistyped("Say 'total' and what the list sums to; a cheque slip its bank and place.")
    body = MakeSlip(office, kind, bank, place, total_paise=amount(rest[1]))  # type: ignore[arg-type]
    return Typed("remittance.make", body)


def _realise(words: list[str]) -> Typed:
    if len(words) < 4:
        raise Mistyped(
            "Say slip, day, reference and amount: "
            "'slip realise SD-101/2026-27/42 2026-04-03 UTR77 800 [RECEIPT...]'."
        )
    receipts = [one.upper() for one in words[4:]]
    body = Realise(words[0].upper(), date(words[1]), words[2], amount(words[3]), receipts)
    return Typed("remittance.realise", body)


VERBS: Final[dict[str, Callable[[list[str]], Typed]]] = {
    "pending": _pending,
    "sort": _sort,
    "make": _make,
    "list": _list,
    "again": _again,
    "realise": _realise,
}


def _office(words: list[str], example: str) -> str:
    if not words:
        raise Mistyped(f"Which one? For example '{example}'.")
    return words[0].upper()
