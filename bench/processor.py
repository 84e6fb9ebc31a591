"""Processor time by kind of process, from /proc: what one payment costs each of them.

Unlike a rate it hardly depends on what else the machine does. This file must not know what the
processes are for.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Final

TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")
TITLE: Final = re.compile(r"^postgres: (?:mpower_\w+: )?(\w+)(?: (mpowerd|pgbench|\w+))?")


def kind_of(command: str) -> str:
    """Name a process by its command line: ``daemon``, ``backend``, or PostgreSQL's own word."""
    found = TITLE.match(command)
    if found is None:
        return "postmaster" if "postgres" in command.partition(" ")[0] else "daemon"
    word = found[1]
    if word == "background":
        return "writer"
    return word if word not in {"mpower_app", "postgres"} else f"backend {word}"


def spent_s(pids: Iterable[int], label: str) -> Counter[str]:
    """Sum the processor seconds of these processes so far, by ``label`` and kind."""
    seconds: Counter[str] = Counter()
    for pid in pids:
        try:
            stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            command = Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ").strip()
        except OSError:
            continue
        seconds[f"{label} {kind_of(command)}"] += (int(stat[11]) + int(stat[12])) / TICKS_PER_S
    return seconds


def shares(before: Counter[str], after: Counter[str], payments: int) -> dict[str, float]:
    """Give microseconds a payment by kind, the largest first; below half a microsecond left out."""
    each = {
        kind: (seconds - before[kind]) / max(1, payments) * 1e6 for kind, seconds in after.items()
    }
    return {
        kind: each[kind] for kind in sorted(each, key=each.__getitem__, reverse=True)
        if each[kind] >= 0.5
    }
