"""What is typed about a shift and its cash, as the operations it means. Pure.

Cash is typed by denomination, ``500x2 100x5 coins 45.50 total 1,545.50``; without a total it is
added up here, and a total that was typed goes along as typed: the server compares. This file must
not know the link nor the screen.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from clients.counter.mistyped import Mistyped, amount, number
from protocols.catalogue.shifts import (
    Cash,
    CloseShift,
    HandOver,
    ModeCount,
    OpenShift,
    PickUpCash,
    Pile,
    ShowShift,
    TakeOver,
    Witness,
)

PILE: Final = re.compile(r"([0-9]{1,5})[xX*]([0-9]{1,6})\Z")
COUNTER: Final = re.compile(r"[A-Za-z][A-Za-z0-9]{1,11}\Z")
MODES: Final = ("CHEQUE", "DD", "CARD", "UPI", "TRANSFER", "POSTAL_ORDER")
USAGE: Final = "shift [open|pickup|witness|handover|takeover|close] ..."
FORMS: Final = (
    ("shift", "mine as it stands; 'shift C001' that of a counter"),
    ("shift open 500x1 100x5 coins 20", "with this float"),
    ("shift pickup 500x20", "offer notes of my till to be carried to the strong room"),
    ("shift witness 3 10,000 C001", "an officer has counted pick-up 3 and takes it"),
    ("shift handover bina 500x2 card 1 60", "offer my till, counted, to another clerk"),
    ("shift takeover 500x2", "take a till that was offered to me, counted again"),
    ("shift close 500x2 coins 45 card 1 60 cheque 2 800", "cash, then count and total by mode"),
    ("shift close 500x2 tick C001/2026-27/7", "cheques ticked one by one instead of a total"),
    ("shift close 500x2 reason a note is torn", "where the cash is short or in excess"),
    ("shift close 500x2 at C001 reason fell ill", "an officer closes another's shift"),
)
"""Each form with what it does. Cash that is not typed is asked for, a denomination a line."""


class Typed(Struct, frozen=True):
    """An operation and its body. ``counts``: cash belongs to it and none was typed."""

    operation: str
    body: Struct
    counts: bool = False


def shift(words: list[str]) -> Typed:
    """Read what follows the word ``shift``."""
    if not words:
        return Typed("shifts.show", ShowShift())
    known = VERBS.get(words[0].lower())
    if known is None:
        near = difflib.get_close_matches(words[0].lower(), VERBS, n=1)
        if len(words) == 1 and not near and COUNTER.match(words[0]):
            return Typed("shifts.show", ShowShift(words[0].upper()))
        hint = f"Did you mean '{near[0]}'?" if near else f"Say {', '.join(VERBS)}, or a counter."
        raise Mistyped(f"A shift knows no '{words[0]}'. {hint}")
    return known(words[1:])


def _open(words: list[str]) -> Typed:
    cash, rest = cash_of(words)
    _nothing_more(rest)
    return Typed("shifts.open", OpenShift(cash), counts=not words)


def _pick_up(words: list[str]) -> Typed:
    cash, rest = cash_of(words)
    _nothing_more(rest)
    return Typed("shifts.pick_up", PickUpCash(cash), counts=not words)


def _witness(words: list[str]) -> Typed:
    if len(words) not in {2, 3}:
        raise Mistyped("Say the pick-up's number and its total: 'shift witness 3 1,000 [C001]'.")
    counter = words[2].upper() if len(words) == 3 else ""
    return Typed("shifts.witness", Witness(number(words[0]), amount(words[1]), counter))


def _take_over(words: list[str]) -> Typed:
    cash, rest = cash_of(words)
    _nothing_more(rest)
    return Typed("shifts.take_over", TakeOver(cash), counts=not words)


def _hand_over(words: list[str]) -> Typed:
    if not words:
        raise Mistyped("Say to whom: 'shift handover bina 500x2 100x5'.")
    whom, counted = words[0].lower(), words[1:]
    cash, modes, ticked, reason, counter = _count(counted)
    if counter:
        raise Mistyped("A shift is handed over at its own counter.")
    return Typed(
        "shifts.hand_over", HandOver(whom, cash, modes, ticked, reason), not _has_cash(counted)
    )


def _close(words: list[str]) -> Typed:
    cash, modes, ticked, reason, counter = _count(words)
    body = CloseShift(cash, modes, ticked, reason, counter)
    return Typed("shifts.close", body, counts=not _has_cash(words))


VERBS: Final[dict[str, Callable[[list[str]], Typed]]] = {
    "open": _open,
    "pickup": _pick_up,
    "witness": _witness,
    "handover": _hand_over,
    "takeover": _take_over,
    "close": _close,
}


def _count(words: list[str]) -> tuple[Cash, list[ModeCount], list[str], str, str]:
    """Read cash, then ``MODE COUNT TOTAL``, ``tick RECEIPT...``, ``at COUNTER``, ``reason ...``."""
    cash, rest = cash_of(words)
    modes: list[ModeCount] = []
    ticked: list[str] = []
    counter = ""
    while rest:
        word = rest.pop(0).upper()
        if word == "REASON":
            if not rest:
                raise Mistyped("The reason is missing.")
            return cash, modes, ticked, " ".join(rest), counter
        if word in MODES and len(rest) >= 2:
            modes.append(ModeCount(word, number(rest.pop(0)), amount(rest.pop(0))))
        elif word == "AT" and rest:
            counter = rest.pop(0).upper()
        elif word == "TICK":
            while rest and "/" in rest[0]:
                ticked.append(rest.pop(0).upper())
        else:
            raise Mistyped(
                f"'{word.lower()}' is not understood: say 'MODE COUNT TOTAL', 'tick RECEIPT...', "
                "'at COUNTER' or 'reason ...'."
            )
    return cash, modes, ticked, "", counter


def cash_of(words: list[str]) -> tuple[Cash, list[str]]:
    """Read the cash at the head of the words; and the words after it."""
    piles: list[Pile] = []
    coins, total, rest = 0, None, list(words)
    while rest:
        pile = PILE.match(rest[0])
        if pile is not None:
            piles.append(Pile(int(pile[1]), int(pile[2])))
            del rest[0]
        elif rest[0].lower() in {"coins", "total"} and len(rest) > 1:
            word, paise = rest[0].lower(), amount(rest[1])
            coins, total = (paise, total) if word == "coins" else (coins, paise)
            del rest[:2]
        else:
            break
    return summed(piles, coins, total), rest


def _has_cash(words: list[str]) -> bool:
    """Say whether the words begin with cash; where they do not, a person is asked for it."""
    return bool(words) and len(cash_of(words)[1]) < len(words)


def summed(piles: list[Pile], coins: int, total: int | None = None) -> Cash:
    """Make cash of piles and loose coins; its total is added up unless it was typed."""
    added = sum(one.value * 100 * one.count for one in piles) + coins
    return Cash(piles, coins, added if total is None else total)


def _nothing_more(rest: list[str]) -> None:
    if rest:
        raise Mistyped(f"'{rest[0]}' is no cash: write 500x2 for two notes of 500, 'coins 4.50'.")
