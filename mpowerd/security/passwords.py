"""Hashing a new password: argon2id off the loop, two at a time.

Verifying at sign-in is the server's, with the same parameters (argon2-cffi's own, RFC 9106 low memory).
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from argon2 import PasswordHasher

from mpowerd.security.rules import normal

HASHER: Final = PasswordHasher()
_THREADS: Final = ThreadPoolExecutor(2, "argon2")
"""Each hash takes 23 to 110 ms of a core and 64 MiB: two leave room for payments."""


async def hashed(password: str) -> str:
    """Hash a password; the PHC string that is stored."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_THREADS, HASHER.hash, normal(password))
