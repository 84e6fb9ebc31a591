"""What proves a person - a password that is hard to guess, a one-time code - and from when to when
a power is granted. Pure.

Passwords: length and being hard to guess, no rules of composition (NIST SP 800-63B). Codes after
RFC 6238: six digits, a new one every 30 s; a code fits its own time step and the one on either side
(a telephone's clock may be off by half a minute), and which step it fitted is given back, so that
the database lets it be used only once. The wall clock comes in as a value.
"""

from __future__ import annotations

import datetime as dt
import hmac
import unicodedata
from collections.abc import Callable
from typing import Final
from urllib.parse import quote

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from protocols.refusals import Refused

MIN_LENGTH: Final = 12
MIN_DIFFERENT: Final = 4
MAX_BYTES: Final = 256
"""Hashing costs time by length: what nobody types is refused before it."""


def normal(password: str) -> str:
    """Give the exact characters that are hashed: NFC, nothing trimmed."""
    return unicodedata.normalize("NFC", password)


def check_password(password: str, user: str, common: Callable[[str], bool]) -> None:
    """Refuse WEAK_PASSWORD, saying why: short, too long, few characters, the user's own name, or
    ``common``: the first that a guesser tries.
    """
    plain = normal(password)
    lower = plain.casefold()
    why = ""
    if len(plain) < MIN_LENGTH:
        why = f"it has {len(plain)} characters"
    elif len(plain.encode()) > MAX_BYTES:
        why = f"it is longer than {MAX_BYTES} bytes"
    elif len(set(lower)) < MIN_DIFFERENT:
        why = "it repeats very few characters"
    elif lower.replace(user, "", 1).strip("0123456789") == "":
        why = "it is the user's own name"
    elif common(plain):
        why = "it is among those that are tried first"
    if why:
        raise Refused("WEAK_PASSWORD", why=why)


STEP_S: Final = 30
DIGITS: Final = 6
SECRET_BYTES: Final = 20
"""160 bits, what RFC 4226 recommends and the database checks."""
WINDOW: Final = (0, -1, 1)


def step_of(secret: bytes, code: str, wall_s: float) -> int | None:
    """Give the time step whose code this is, or None if it fits none near ``wall_s`` (Unix
    seconds).
    """
    now = int(wall_s) // STEP_S
    generator = TOTP(secret, DIGITS, SHA1(), STEP_S)  # noqa: S303 - HMAC-SHA-1 is what telephones speak
    fitting = None
    for shift in (one for one in WINDOW if now + one >= 0):
        expected = generator.generate((now + shift) * STEP_S)
        if hmac.compare_digest(expected, code.encode()) and fitting is None:
            fitting = now + shift
    return fitting


def address_of(secret: str, user: str, board: str) -> str:
    """Give the ``otpauth://`` address that an authenticator reads from a QR code or as text;
    ``secret`` in base 32.
    """
    label = quote(f"{board}:{user}")
    return f"otpauth://totp/{label}?secret={secret}&issuer={quote(board)}&digits={DIGITS}"


def check_dates(first: str, last: str) -> tuple[dt.date, dt.date | None]:
    """Give a power's first and last day, '' without end; refuse BAD_DATES if not in order."""
    try:
        begins = dt.date.fromisoformat(first)
        ends = dt.date.fromisoformat(last) if last else None
    except ValueError:
        raise Refused("BAD_DATES", first=first, last=last) from None
    if ends is not None and ends < begins:
        raise Refused("BAD_DATES", first=first, last=last)
    return begins, ends
