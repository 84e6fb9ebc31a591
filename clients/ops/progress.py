"""How far a long work is, on stderr: a bar for a person at a terminal, nothing for a file.

It must not know what is counted.
"""

from __future__ import annotations

import sys
from typing import Final

WIDTH: Final = 30


class Bar:
    """Redrawn in place; ``close`` ends its line."""

    def __init__(self, what: str) -> None:
        self._what, self._drawn = what, False
        self._shown = sys.stderr.isatty()

    def show(self, done: int, total: int) -> None:
        """Say that so much of so much is done."""
        if not self._shown:
            return
        full = WIDTH * done // max(1, total)
        bar = "#" * full + "." * (WIDTH - full)
        sys.stderr.write(f"\r{self._what} [{bar}] {done:,} of {total:,} ")
        sys.stderr.flush()
        self._drawn = True

    def close(self) -> None:
        """Leave the last state standing on its own line."""
        if self._drawn:
            sys.stderr.write("\n")
            self._drawn = False
