"""What is typed about a payment, as what it means. Pure.

``take NUMBER AMOUNT`` and then, in any order, the mode with its paper (number, date, bank, branch),
what the payment is for, what was given, and ``again`` where the consumer pays the same once more.
This file must not know the link nor the screen.
"""

from __future__ import annotations

from typing import Any, Final, get_args

from msgspec import Struct

from clients.counter import mistyped
from clients.counter.mistyped import Mistyped
from protocols.catalogue import payments
from protocols.heads import Head, Purpose

MODES: Final[tuple[str, ...]] = get_args(payments.Mode)
PURPOSES: Final[tuple[str, ...]] = get_args(Purpose)
HEADS: Final[tuple[str, ...]] = get_args(Head)
FORMS: Final = (
    ("take 1234567890 all", "all that is payable, in cash"),
    ("take 1234567890 1,240.50 given 1500", "and the change is told"),
    ("take 1234567890 1240 cheque 204411 2026-04-01 SBI MALL-ROAD", "dd, postal_order likewise"),
    ("take 1234567890 1240 upi 6091", "card, upi, transfer: the reference"),
    ("take 1234567890 200 partial", "part of the dues"),
    ("take 1234567890 500 advance", "more than the dues"),
    ("take 1234567890 500 theft", "instalment, non-energy, sundry, theft, compounding"),
    ("take 1234567890 500 again", "the consumer pays the same once more today"),
)
PAPER: Final = ("instrument", "dated", "bank", "branch")
"""What follows a mode, in this order, as far as the mode has it."""


class TakeMoney(Struct, frozen=True):
    """Take a payment. ``amount_paise`` None: all that is payable; ``given_paise`` None: exactly, or
    to be asked. ``confirmed``: the consumer pays the same once more today.
    """

    consumer: str
    amount_paise: int | None
    mode: str
    instrument: str
    purpose: str
    given_paise: int | None
    dated: str = ""
    bank: str = ""
    branch: str = ""
    confirmed: bool = False


def take(words: list[str]) -> TakeMoney:
    """Read what follows the word ``take``."""
    consumer, amount, *rest = words if len(words) > 1 else [words[0], ""]
    if not amount:
        raise Mistyped("The amount is missing (or say 'all').")
    said: dict[str, Any] = {"mode": "CASH", "purpose": "DUES", "given_paise": None}
    paper: list[str] = []
    while rest:
        said |= _next(rest, said["mode"], paper)
    said |= zip(PAPER, paper, strict=False)
    if "dated" in said:
        mistyped.date(said["dated"])
    paise = None if amount.lower() == "all" else mistyped.amount(amount)
    given = said["given_paise"]
    if given is not None and paise is not None and given < paise:
        raise Mistyped("What was given is less than the amount.")
    return TakeMoney(consumer, paise, **{"instrument": "", **said})


def _next(rest: list[str], mode: str, paper: list[str]) -> dict[str, Any]:
    """Read the next word, and what belongs to it; what follows a mode that is not cash is its
    paper.
    """
    word = rest.pop(0)
    plain = word.upper().replace("-", "_")
    if plain in MODES and mode == "CASH":
        return {"mode": plain}
    if plain in PURPOSES:
        return {"purpose": plain}
    if plain == "AGAIN":
        return {"confirmed": True}
    if plain == "GIVEN" and rest:
        return {"given_paise": mistyped.amount(rest.pop(0))}
    if mode != "CASH" and plain != "FOR" and len(paper) < len(PAPER):
        paper.append(word.upper() if paper else word)
    elif plain != "FOR":
        raise Mistyped(f"'{word}' is not understood.")
    return {}


def split(receipts: list[str], words: list[str]) -> list[payments.Part]:
    """Read ``HEAD AMOUNT ...``: how an officer spreads one receipt over the heads."""
    if len(receipts) != 1:
        raise Mistyped("One receipt is split at a time: name it before 'as'.")
    if not words or len(words) % 2:
        raise Mistyped("After 'as' come pairs of head and amount.")
    parts = []
    for head, paise in zip(words[::2], words[1::2], strict=True):
        name = head.replace("-", "_")
        if name not in HEADS:
            raise Mistyped(f"'{head}' is no head: say {', '.join(HEADS)}.")
        part = payments.Part(receipts[0], name, mistyped.amount(paise))  # type: ignore[arg-type]
        parts.append(part)
    return parts
