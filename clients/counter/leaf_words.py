"""What is typed about receipt books and their leaves, as the operations it means. Pure.

A leaf is entered as it was written: ``paper enter B0017 501 2026-03-30 1234567890 500 [MODE
INSTRUMENT]``. The same words are typed after ``mpower receipt-books``. This file must not know the
link nor the screen.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from clients.counter.mistyped import Mistyped, amount, date, number
from clients.counter.slip_words import KINDS
from clients.counter.till_words import Typed
from protocols.catalogue.receipt_books import (
    AskBook,
    CloseBook,
    Enter,
    Leaf,
    Register,
    Spoilt,
)

USAGE: Final = "paper register|enter|spoilt|show|close BOOK ..."
FORMS: Final = (
    ("paper register B0017 C001 501 600", "an officer gives a counter a book, leaves 501 to 600"),
    ("paper enter B0017 501 2026-03-30 1234567890 500", "a leaf as it was written, in cash"),
    ("paper enter B0017 502 2026-03-30 1234567890 500 cheque 204411", "in another mode"),
    ("paper spoilt B0017 503 torn in two", "a leaf that was not used"),
    ("paper show B0017", "how far the book is entered"),
    ("paper close B0017 504 the line is up", "no leaf from 504 on was used"),
)


def paper(words: list[str]) -> Typed:
    """Read what follows the word ``paper``."""
    known = VERBS.get(words[0].lower()) if words else None
    if known is None:
        raise Mistyped(f"Say what about a book: {', '.join(VERBS)}.")
    if len(words) == 1:
        raise Mistyped(f"Which book? For example 'paper {words[0].lower()} B0017 ...'.")
    return known(words[1].upper(), words[2:])


def _register(book: str, words: list[str]) -> Typed:
    if len(words) != 3:
        raise Mistyped("Say counter, first and last leaf: 'paper register B0017 C001 501 600'.")
    body = Register(book, words[0].upper(), number(words[1]), number(words[2]))
    return Typed("receipt_books.register", body)


def _enter(book: str, words: list[str]) -> Typed:
    if len(words) not in {4, 5, 6}:
        raise Mistyped(
            "Say leaf, date, consumer and amount, and the mode if it was not cash: "
            "'paper enter B0017 501 2026-03-30 1234567890 500 cheque 204411'."
        )
    mode = words[4].upper() if len(words) > 4 else "CASH"
    if mode not in KINDS:
        raise Mistyped(f"'{words[4]}' is no mode: say {', '.join(KINDS).lower()}.")
    leaf = Leaf(
        number(words[0]),
        date(words[1]),
        words[2],
        amount(words[3]),
        mode,  # type: ignore[arg-type]
        words[5] if len(words) > 5 else "",
    )
    return Typed("receipt_books.enter", Enter(book, [leaf]))


def _spoilt(book: str, words: list[str]) -> Typed:
    if len(words) < 2:
        raise Mistyped("Say the leaf and why: 'paper spoilt B0017 502 torn in two'.")
    return Typed(
        "receipt_books.enter", Enter(book, [], [Spoilt(number(words[0]), " ".join(words[1:]))])
    )


def _show(book: str, words: list[str]) -> Typed:
    return Typed("receipt_books.show", AskBook(book))


def _close(book: str, words: list[str]) -> Typed:
    if len(words) < 2:
        raise Mistyped(
            "Say the first leaf that was never used, and why: 'paper close B0017 503 line is up'."
        )
    return Typed("receipt_books.close", CloseBook(book, number(words[0]), " ".join(words[1:])))


VERBS: Final[dict[str, Callable[[str, list[str]], Typed]]] = {
    "register": _register,
    "enter": _enter,
    "spoilt": _spoilt,
    "show": _show,
    "close": _close,
}
