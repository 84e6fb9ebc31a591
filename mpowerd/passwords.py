"""Password hashes, made and checked in a bounded pool of threads: 23-110 ms of CPU each, never on
the reactor's thread.

Invariants: the exact bytes after NFC are hashed, their length is capped before; an unknown user
costs the same check as a known one, against a hash nobody has the password of. This file must not
know users or sessions.
"""

from __future__ import annotations

import asyncio
import secrets
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from protocols.refusals import Refused

T = TypeVar("T")

THREADS: Final = 2
WAITING: Final = 64
"""Passwords in the pool at once: about two seconds of work; more are told BUSY, not timed out."""
LONGEST: Final = 256
"""Characters; the wire refuses more already, this holds for every door."""
HASHER: Final = PasswordHasher()


def exact(password: str) -> bytes:
    """Give the bytes that are hashed: UTF-8 of the NFC form, nothing trimmed; raises Refused
    SIGN_IN_FAILED if too long.
    """
    if len(password) > LONGEST:
        raise Refused("SIGN_IN_FAILED", wait_s=30)
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")


def hashed(password: str) -> str:
    """Hash a password (argon2id, the library's current defaults)."""
    return HASHER.hash(exact(password))


class Passwords:
    """The pool. ``matches`` answers after the same work whether there is a hash or not."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="argon2")
        self._waiting = 0
        self._nobody = hashed(secrets.token_hex(16))

    async def matches(self, password: str, stored: str | None) -> bool:
        """Check a password against its stored hash (None: an unknown user); raises Refused BUSY
        when all wait.
        """
        right = await self._worked(_verify, stored or self._nobody, exact(password))
        return right and stored is not None

    async def hashed(self, password: str) -> str:
        """Hash a new password; raises Refused BUSY when all wait."""
        return await self._worked(hashed, password)

    def close(self) -> None:
        """End the threads once what they are checking is done."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _worked(self, work: Callable[..., T], *given: object) -> T:
        if self._waiting >= WAITING:
            raise Refused("BUSY")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work, *given)
        finally:
            self._waiting -= 1


def _verify(stored: str, password: bytes) -> bool:
    try:
        return HASHER.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False
