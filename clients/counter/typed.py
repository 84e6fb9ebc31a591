"""What a clerk may type, and what it means. Pure: a line in, a command out, or a sentence that
teaches.

Each command is declared once: its usage, an example, what it does; help, errors and did-you-mean
read that. Amounts are read as people write them (``1,240.50``), always into paise. This file must
not know the link nor the screen.
"""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from msgspec import Struct

from clients.counter import leaf_words, money_words, payment_words, slip_words, till_words
from clients.counter.mistyped import Mistyped, date
from protocols.catalogue import consumers, days, payments
from protocols.catalogue.body import Nothing

LINE_CHARACTERS: Final = 500
"""Longer than anything a person types; a pasted file is not a command."""


class Operate(Struct, frozen=True):
    """An operation of the board: its name and body. Keyed ones go through the journal."""

    word: str
    operation: str
    body: Struct
    counts: bool = False
    """Cash belongs to it and none was typed: a person is asked for it."""


TakeMoney = payment_words.TakeMoney


class SignInAs(Struct, frozen=True):
    """A person signs in; the password is asked for, never typed with the command."""

    user: str


class Reprint(Struct, frozen=True):
    """Print a receipt of this terminal again ('' the last one), marked DUPLICATE."""

    receipt: str


class Do(Struct, frozen=True):
    """A word that needs nothing: help, status, signout, quit."""

    word: str
    about: str = ""


Command = Operate | TakeMoney | SignInAs | Reprint | Do


class Word(NamedTuple):
    """One command: how it is typed, an example, what it does, and how its words are read."""

    usage: str
    example: str
    does: str
    read: Callable[[list[str]], Command]
    forms: tuple[tuple[str, str], ...] = ()
    """Everything that can be said with it: an example that can be typed, and what it does."""


def read_line(line: str) -> Command | None:
    """Read one typed line; None for an empty one or a # comment. Raises Mistyped."""
    if len(line) > LINE_CHARACTERS:
        raise Mistyped(f"That line is longer than {LINE_CHARACTERS} characters.")
    try:
        words = shlex.split(line, comments=True)
    except ValueError:
        words = line.split()
    if not words:
        return None
    name = {"?": "help", "exit": "quit", "q": "quit", "pay": "take"}.get(words[0].lower())
    name = name or words[0].lower()
    word = WORDS.get(name)
    if word is None:
        near = difflib.get_close_matches(name, WORDS, n=1)
        hint = f"Did you mean '{near[0]}'?" if near else "Type 'help' for all commands."
        raise Mistyped(f"There is no command '{words[0]}'. {hint}")
    try:
        return word.read(words[1:])
    except (Mistyped, IndexError) as wrong:
        why = f"{wrong} " if isinstance(wrong, Mistyped) else ""
        raise Mistyped(f"{why}Usage: {word.usage}   Example: {word.example}") from None


def _find(words: list[str]) -> Command:
    kinds = ("number", "name", "meter", "mobile")
    if words[0] in kinds and len(words) > 1:
        by, text = words[0], " ".join(words[1:])
    else:
        text = " ".join(words)
        digits = text.isascii() and text.isdigit()
        by = ("number" if len(text) == 10 else "mobile") if digits else "name"
    return Operate("find", "consumers.find", consumers.Find(by, text))  # type: ignore[arg-type]


def _dues(words: list[str]) -> Command:
    _only(words, 1)
    return Operate("dues", "consumers.dues", consumers.Dues(words[0]))


def _mine(words: list[str]) -> Command:
    limit = 20
    if words and not (words[0].isascii() and words[0].isdigit()):
        raise Mistyped(f"'{words[0]}' is not a number.")
    if words:
        limit = int(words[0][:4])
    return Operate("mine", "payments.mine", payments.Mine(limit))


def _cancel(words: list[str]) -> Command:
    receipt, reason = words[0], " ".join(words[1:])
    if not reason:
        raise Mistyped("The reason is missing; it goes to the audit.")
    return Operate("cancel", "payments.cancel", payments.Cancel(receipt.upper(), reason))


def _verify(words: list[str]) -> Command:
    named = [one.upper() for one in words[2:]]
    parts: list[payments.Part] = []
    if "AS" in named:
        place = named.index("AS")
        parts, named = payment_words.split(named[:place], named[place + 1 :]), named[:place]
    body = payments.Verify(words[0].upper(), date(words[1]), named, parts)
    return Operate("verify", "payments.verify", body)


def _day(words: list[str]) -> Command:
    what, day = words[0].lower(), date(words[1]) if len(words) > 1 else ""
    anyway = what == "close" and [one.lower() for one in words[2:]] == ["anyway"]
    _only(words, 3 if anyway else 2)
    if what == "open" and day:
        return Operate("day", "days.open", days.OpenDay(day))
    if what == "close" and day:
        return Operate("day", "days.close", days.CloseDay(day, confirmed=anyway))
    if what == "today":
        return Operate("day", "days.today", Nothing())
    raise Mistyped("Say 'day open DATE', 'day close DATE [anyway]' or 'day today'.")


def _till(word: str, read: Callable[[list[str]], till_words.Typed]) -> Callable[..., Command]:
    def reading(words: list[str]) -> Command:
        found = read(words)
        return Operate(word, found.operation, found.body, found.counts)

    return reading


def _sign_in(words: list[str]) -> Command:
    _only(words, 1)
    return SignInAs(words[0].lower())


def _reprint(words: list[str]) -> Command:
    return Reprint(words[0].upper() if words else "")


def _plain(word: str) -> Callable[[list[str]], Command]:
    return lambda words: Do(word, words[0].lower() if words else "")


def _only(words: list[str], count: int) -> None:
    if len(words) > count:
        raise Mistyped(f"'{words[count]}' is too much.")


WORDS: Final[dict[str, Word]] = {
    "signin": Word("signin USER", "signin asha", "sign in; the password is asked for", _sign_in),
    "find": Word("find [number|name|meter|mobile] TEXT", "find sharma", "find a consumer", _find),
    "dues": Word("dues NUMBER", "dues 1234567890", "what a consumer owes, by head", _dues),
    "take": Word(
        "take NUMBER AMOUNT|all [MODE NUMBER [DATE BANK BRANCH]] [for PURPOSE] [again]"
        " [given AMOUNT]",
        "take 1234567890 1,240 cheque 204411 2026-04-01 SBI MALL-ROAD",
        "take a payment and print its receipt",
        payment_words.take,
        payment_words.FORMS,
    ),
    "again": Word(
        "again [RECEIPT]", "again C001/2026-27/42", "print it again: DUPLICATE", _reprint
    ),
    "mine": Word("mine [COUNT]", "mine", "my receipts of today", _mine),
    "cancel": Word(
        "cancel RECEIPT REASON",
        "cancel C001/2026-27/42 wrong consumer",
        "cancel a receipt of today (officer)",
        _cancel,
    ),
    "verify": Word(
        "verify COUNTER DATE [RECEIPT...], verify COUNTER DATE RECEIPT as HEAD AMOUNT ...",
        "verify C001 2026-04-01",
        "verify and post a counter's receipts (officer)",
        _verify,
    ),
    "day": Word(
        "day open|close DATE, day close DATE anyway, day today",
        "day open 2026-04-01",
        "open or close the business day (officer)",
        _day,
    ),
    "shift": Word(
        till_words.USAGE,
        "shift open 100x5 coins 20",
        "my shift: open, pickup, witness, handover, takeover, close",
        _till("shift", till_words.shift),
        till_words.FORMS,
    ),
    "slip": Word(
        slip_words.USAGE,
        "slip pending SD-101",
        "bank slips: pending, sort, make, list, again, realise (officer)",
        _till("slip", slip_words.slip),
        slip_words.FORMS,
    ),
    "book": Word(
        "book DATE OFFICE [COUNTER]",
        "book 2026-04-01 SD-101",
        "the cash book of a day (officer)",
        _till("book", slip_words.book),
    ),
    "paper": Word(
        leaf_words.USAGE,
        "paper enter B0017 501 2026-03-30 1234567890 500",
        "receipt books on paper: register, enter, spoilt, show, close",
        _till("paper", leaf_words.paper),
        leaf_words.FORMS,
    ),
    "money": Word(
        money_words.USAGE,
        "money returned C001/2026-27/42 2026-04-11 funds insufficient",
        "returned cheques, charges, refunds, moves, suspense (officer)",
        _till("money", money_words.money),
        money_words.FORMS,
    ),
    "status": Word("status", "status", "the line, and what is not confirmed yet", _plain("status")),
    "signout": Word("signout", "signout", "end the session", _plain("signout")),
    "help": Word("help [COMMAND]", "help take", "this page", _plain("help")),
    "quit": Word("quit", "quit", "leave", _plain("quit")),
}


def help_text(about: str = "") -> str:
    """Write the help: examples first, then every command; or one command's usage."""
    word: Any = WORDS.get(about)
    if word is not None:
        said = [f"{about}: {word.does}", f"  Usage:   {word.usage}"]
        if not word.forms:
            return "\n".join([*said, f"  Example: {word.example}"])
        return "\n".join([*said, *(f"  {form}\n      {does}" for form, does in word.forms)])
    first = ["find sharma", "dues 1234567890", "take 1234567890 1240 given 1500", "mine"]
    lines = ["Examples:", *(f"  {one}" for one in first), "", "Commands:"]
    lines += [f"  {name:<9}{one.does}" for name, one in WORDS.items()]
    lines.append("'help take', 'help shift', 'help slip', … show every form with an example.")
    return "\n".join(lines)
