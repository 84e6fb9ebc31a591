"""Processor time by kind of process, from /proc: what one payment costs each of them.

Unlike a rate it hardly depends on what else the machine does. This file must not know what the
processes are for.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Final

TITLE: Final = re.compile(r"^postgres: (?:mpower_\w+: )?(\w+)(?: (mpowerd|pgbench|\w+))?")


LOOK_S: Final = 1.0
QUIET: Final = 0.1
"""More of the machine than this in other hands, and rates mean little: a peer of many processes
gets more of what is left than a server of few.
"""


def others_share() -> float:
    """Give the part of all processors (0 to 1) that is busy now, before we begin; takes LOOK_S."""
    before = Path("/proc/stat").read_text()
    time.sleep(LOOK_S)
    return busy_share(before, Path("/proc/stat").read_text())


def busy_share(before: str, after: str) -> float:
    """Compare two readings of /proc/stat: the part of the time that was neither idle nor waiting
    for a disk.
    """
    first, last = (
        [int(one) for one in text.split("\n")[0].split()[1:9]] for text in (before, after)
    )
    passed = [later - earlier for earlier, later in zip(first, last, strict=True)]
    return 1 - (passed[3] + passed[4]) / max(1, sum(passed))


def kind_of(command: str) -> str:
    """Name a process by its command line: ``daemon``, ``backend``, or PostgreSQL's own word."""
    found = TITLE.match(command)
    if found is None:
        return "postmaster" if "postgres" in command.partition(" ")[0] else "daemon"
    word = found[1]
    if word == "background":
        return "writer"
    return word if word not in {"mpower_app", "postgres"} else f"backend {word}"


def spent_ns(pids: Iterable[int], label: str) -> Counter[str]:
    """Sum the processor nanoseconds of these processes so far, by ``label`` and kind."""
    spent: Counter[str] = Counter()
    for pid in pids:
        folder = Path(f"/proc/{pid}")
        try:
            command = (folder / "cmdline").read_text().replace("\0", " ").strip()
            threads = [one.read_text().split() for one in folder.glob("task/*/schedstat")]
        except OSError:
            continue  # it ended meanwhile
        spent[f"{label} {kind_of(command)}"] += sum(int(thread[0]) for thread in threads)
    return spent


def shares(before: Counter[str], after: Counter[str], payments: int) -> dict[str, float]:
    """Give microseconds a payment by kind, the largest first; below half a microsecond left out."""
    each = {kind: (spent - before[kind]) / max(1, payments) / 1e3 for kind, spent in after.items()}
    order = sorted(each, key=each.__getitem__, reverse=True)
    return {kind: each[kind] for kind in order if each[kind] >= 0.5}
