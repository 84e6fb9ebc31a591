"""Passwords that a guesser tries first: a short list of words that comes with mPower, and the
board's own list.

A word is common alone, repeated, and with digits or signs before and after it, in any case. The
board's file has one entry a line: such a word, or the SHA-1 or SHA-256 of an exact password in hex
(lists of breached passwords are published so; what follows a colon, a count, is left out). The
list is read once, at the start. This file must not know users.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

SHIPPED: Final = Path(__file__).parent / "common_passwords.txt"
LINES_MOST: Final = 2_000_000
"""About 200 MB of memory; longer lists are cut to their most frequent entries by who makes them."""
HASH: Final = re.compile(rb"^([0-9A-Fa-f]{40}|[0-9A-Fa-f]{64})(:[0-9]+)?\Z")
AROUND: Final = re.compile(r"^[\W\d_]+|[\W\d_]+\Z")


class ListError(OSError):
    """The board's list cannot be used; the message names the file and why."""


class CommonPasswords:
    """``words`` in lower case and ``hashes`` (SHA-1, SHA-256) of exact passwords."""

    def __init__(self, words: Iterable[str], hashes: Iterable[bytes] = ()) -> None:
        self._words, self._hashes = frozenset(words), frozenset(hashes)

    def holds(self, password: str) -> bool:
        """Whether a guesser would try this one first."""
        exact = unicodedata.normalize("NFC", password)
        lower = exact.casefold()
        if not self._words.isdisjoint(_forms(lower)):
            return True
        raw = exact.encode()
        digests = (hashlib.sha1(raw).digest(), hashlib.sha256(raw).digest())  # noqa: S324 - the lists' own form
        return not self._hashes.isdisjoint(digests)


def _forms(lower: str) -> Iterator[str]:
    """Give what a password is made of: itself, without what surrounds it, once if repeated."""
    for form in (lower, AROUND.sub("", lower)):
        yield form
        for times in range(2, len(form) // 2 + 1):
            part = form[: len(form) // times]
            if part * times == form:
                yield part


def read_common(own: Path | None = None) -> CommonPasswords:
    """Read the shipped list and the board's ``own``; raises ListError."""
    words: set[str] = set()
    hashes: set[bytes] = set()
    for path in (SHIPPED, own) if own is not None else (SHIPPED,):
        try:
            with path.open("rb") as lines:
                for number, line in enumerate(lines, 1):
                    _take(line.strip(), words, hashes)
                    if number > LINES_MOST:
                        raise ListError(f"{path}: it has more than {LINES_MOST:,} lines; cut it.")
        except UnicodeDecodeError as wrong:
            raise ListError(f"{path}: line {number} is not UTF-8.") from wrong
    return CommonPasswords(words, hashes)


def _take(line: bytes, words: set[str], hashes: set[bytes]) -> None:
    found = HASH.match(line)
    if found:
        hashes.add(bytes.fromhex(found[1].decode()))
    elif line and not line.startswith(b"#"):
        words.add(unicodedata.normalize("NFC", line.decode()).casefold())
