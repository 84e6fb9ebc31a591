"""What a password must be: pure.

Length and being hard to guess, no rules of composition (NIST SP 800-63B).
"""

from __future__ import annotations

import unicodedata
from typing import Final

from protocols.refusals import Refused

MIN_LENGTH: Final = 12
MAX_BYTES: Final = 256
"""Hashing costs time by length: what nobody types is refused before it."""
COMMON: Final = frozenset(
    {
        "password1234",
        "passwordpassword",
        "administrator",
        "qwertyuiop12",
        "qwerty123456",
        "123456789012",
        "111111111111",
        "electricity1",
        "electricity123",
        "letmeinletmein",
        "welcome12345",
        "changeme1234",
        "iloveyou1234",
        "abcdefghijkl",
        "mpowermpower",
    }
)
"""Long enough and yet the first a guesser tries; a board's own list is added by a later setting."""


def normal(password: str) -> str:
    """Give the exact characters that are hashed: NFC, nothing trimmed."""
    return unicodedata.normalize("NFC", password)


def check_password(password: str, user: str) -> None:
    """Refuse WEAK_PASSWORD: short, too long, common, few characters, or the user's own name."""
    plain = normal(password)
    lower = plain.casefold()
    if (
        len(plain) < MIN_LENGTH
        or len(plain.encode()) > MAX_BYTES
        or lower in COMMON
        or len(set(lower)) < 4
        or lower.replace(user, "", 1).strip("0123456789") == ""
    ):
        raise Refused("WEAK_PASSWORD")
