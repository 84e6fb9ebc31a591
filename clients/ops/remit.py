"""``mpower remit``, ``mpower cash-book`` and ``mpower receipt-books``: an officer's bank slips, the
book of a day, the books on paper.

The words are those of the counter's ``slip``, ``book`` and ``paper``: one reading, two doors. This
file must not know how a slip is made.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import click

from clients.door import Ended, Exit, answer, json_option
from clients.ops.signed import as_person, checked, named, signed_in

if TYPE_CHECKING:
    from clients.asking import Asking
    from clients.counter.till_words import Typed

REMIT: Final = """\
Send to the bank what closed shifts handed in, and note what it has credited.

\b
Examples:
  mpower remit pending SD-101 --as meera
  mpower remit sort C001/2026-27/45 PNB Patna --as meera
  mpower remit make SD-101 cash 500x20 100x5 coins 45 --as meera
  mpower remit make SD-101 cheque PNB local total 8,000 --as meera
  mpower remit list SD-101 open --as meera
  mpower remit again SD-101/2026-27/42 --as meera
  mpower remit realise SD-101/2026-27/42 2026-04-03 UTR77 8,000 --as meera
"""
BOOK: Final = """\
The cash book of a day: of an office and all below it, or of one counter.

\b
Examples:
  mpower cash-book 2026-04-01 SD-101 --as meera
  mpower cash-book 2026-04-01 SD-101 C001 --as meera
"""
PAPER: Final = """\
Receipt books on paper: register them, enter their leaves later, close them.

\b
Examples:
  mpower receipt-books register B0017 C001 501 600 --as meera
  mpower receipt-books enter B0017 501 2026-03-30 1234567890 500 --as meera
  mpower receipt-books spoilt B0017 502 torn in two --as meera
  mpower receipt-books show B0017 --as meera
  mpower receipt-books close B0017 503 the line is up --as meera
"""
Reading = Callable[[list[str]], "Typed"]


def _verb(verb: str, page: str, name: str, reading: Callable[[], Reading]) -> click.Command:
    """Make the command that does what its words say; ``reading`` is imported when it is used."""

    @click.command(verb, help=page)
    @click.argument("words", nargs=-1)
    @click.option("--counter", help="The counter I sit at (C001), if it is one.")
    @as_person(None)
    @json_option
    def act(
        words: tuple[str, ...],
        *,
        counter: str | None,
        me: str,
        password_file: str | None,
        as_json: bool,
    ) -> None:
        _done(reading(), list(words), name, counter, me, password_file, as_json=as_json)

    return act


def _slip() -> Reading:
    from clients.counter.slip_words import slip

    return slip


def _book() -> Reading:
    from clients.counter.slip_words import book

    return book


def _paper() -> Reading:
    from clients.counter.leaf_words import paper

    return paper


remit = _verb("remit", REMIT, "slip", _slip)
cash_book = _verb("cash-book", BOOK, "book", _book)
receipt_books = _verb("receipt-books", PAPER, "paper", _paper)


def _done(
    read: Reading,
    words: list[str],
    name: str,
    counter: str | None,
    me: str,
    password_file: str | None,
    *,
    as_json: bool,
) -> None:
    from clients.counter.mistyped import Mistyped
    from clients.counter.till_paper import text_of
    from protocols.catalogue import CATALOGUE

    try:
        typed = read(words)
    except Mistyped as wrong:
        raise Ended(Exit.USAGE, str(wrong)) from None
    declared, body = CATALOGUE.get(typed.operation), checked(typed.body)
    assert declared is not None

    async def work(link: Asking) -> Any:
        if declared.keyed:
            return (await link.submit(typed.operation, body)).body
        return await link.ask(typed.operation, body)

    reply = signed_in(me, password_file, work, counter)
    text = text_of(reply, again=typed.operation == "remittance.again")
    answer({name: named(reply)}, text, as_json=as_json)
