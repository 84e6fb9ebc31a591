"""Our own commands, run as a person would run them: ``mpower …`` as a process, with the demo's
settings.

What a command prints with ``--json`` comes back as a value; what it says on stderr is the reason
when it fails. This file must not know what the commands do.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from clients.demo.stage import StageError, environment

PATIENCE_S = 180.0
"""The longest command is the first bootstrap with initdb on a slow disk."""


def mpower(home: Path, *words: str, answers: tuple[int, ...] = (0,)) -> dict[str, Any]:
    """Run ``mpower words… --json``; its JSON answer, {} if it said nothing; StageError if it
    failed.
    """
    done = subprocess.run(
        [sys.executable, "-m", "clients", "--settings", str(home), *words, "--json"],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
        env=environment(home),
        stdin=subprocess.DEVNULL,
    )
    if done.returncode not in answers:
        said = (done.stderr or done.stdout).strip()
        raise StageError(f"'mpower {' '.join(words)}' ended with {done.returncode}: {said}")
    found: dict[str, Any] = json.loads(done.stdout) if done.stdout.strip() else {}
    return found


def status(home: Path) -> dict[str, Any]:
    """The cluster's status; without a primary or anybody reachable it is an answer too."""
    return mpower(home, "cluster", "status", answers=(0, 3, 4))
