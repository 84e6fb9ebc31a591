"""What cannot be read, and how figures a person typed are. Pure."""

from __future__ import annotations

import datetime as dt

from protocols.values import paise_from_text


class Mistyped(Exception):  # noqa: N818 - a teaching answer, not an error of ours
    """What was typed is no command; str() says what is expected and gives an example."""


def amount(text: str) -> int:
    """Read an amount (``1,240.50``) into paise."""
    paise = paise_from_text(text)
    if paise is None:
        raise Mistyped(f"'{text}' is not an amount.")
    return paise


def date(text: str) -> str:
    """Read a day (``2026-04-01``)."""
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        raise Mistyped(f"There is no day {text}; a day is written 2026-04-01.") from None
    return text


def number(text: str) -> int:
    """Read a count of at most seven digits."""
    if not (text.isascii() and text.isdigit() and len(text) <= 7):
        raise Mistyped(f"'{text}' is not a number.")
    return int(text)
