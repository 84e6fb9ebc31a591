"""Text in columns of a screen, not of characters: a vowel sign of Devanagari may take no column of
its own, and must not be cut off the letter it belongs to. Pure.
"""

from __future__ import annotations

import unicodedata
from typing import Final

NO_COLUMN: Final = {"Mn", "Me", "Cf"}
"""Categories of what is drawn over, under or before the letter before it."""
JOINS: Final = "\u094d\u200d"
"""Virama and joiner: the letter after them belongs to the one before."""


def width(text: str) -> int:
    """Say how many columns a text takes."""
    return sum(map(_width, text))


def fit(text: str, columns: int) -> str:
    """Fill a column: the text cut at a whole letter, then spaces."""
    kept, used = "", 0
    for letter in letters(text):
        if used + width(letter) > columns:
            break
        kept, used = kept + letter, used + width(letter)
    return kept + " " * (columns - used)


def letters(text: str) -> list[str]:
    """Take a text apart into letters with all that belongs to each."""
    found: list[str] = []
    for one in text:
        joined = bool(found) and found[-1][-1] in JOINS and one.isalpha()
        if found and (joined or unicodedata.category(one)[0] == "M" or one in JOINS):
            found[-1] += one
        else:
            found.append(one)
    return found


def _width(one: str) -> int:
    if unicodedata.category(one) in NO_COLUMN:
        return 0
    return 2 if unicodedata.east_asian_width(one) in {"W", "F"} else 1
