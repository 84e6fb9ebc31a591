"""A second factor at sign-in: one-time codes after RFC 6238, six digits, a new one every 30 s.

A code fits its own time step and the one on either side (a telephone's clock may be off by half a
minute); which step it fitted is given back, so that the database lets it be used only once. The
wall clock comes in as a value. This file must not know SQL or who signs in.
"""

from __future__ import annotations

import base64
import hmac
from typing import Final
from urllib.parse import quote

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

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


def address_of(secret: bytes, user: str, board: str) -> str:
    """Give the ``otpauth://`` address that an authenticator reads from a QR code or as text."""
    word = base64.b32encode(secret).decode()
    label = quote(f"{board}:{user}")
    return f"otpauth://totp/{label}?secret={word}&issuer={quote(board)}&digits={DIGITS}"
