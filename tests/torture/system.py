"""The system's own programs, run with a deadline; what fails is told with its words.

This file must not know what is built with them.
"""

from __future__ import annotations

import subprocess
from typing import Final

LIMIT_S: Final = 30.0
"""mkfs and mount take a second on a busy disk; beyond this something hangs."""


class RigError(Exception):
    """The rig itself cannot go on; str() is the sentence."""


def run(*words: str, limit_s: float = LIMIT_S) -> str:
    """Run a program; what it said. RigError if it failed."""
    try:
        done = subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=limit_s,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        raise RigError(f"'{' '.join(words)}' is not done after {limit_s:g} s.") from late
    if done.returncode != 0:
        raise RigError(f"'{' '.join(words)}' ended with {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def attempt(*words: str, limit_s: float = LIMIT_S) -> bool:
    """Run a program that may fail; say whether it did what it should."""
    try:
        run(*words, limit_s=limit_s)
    except RigError:
        return False
    return True
