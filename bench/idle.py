"""``node.idle``, ``node.memory``, ``witness.memory``: what a pair costs while nobody works.

A node is its daemon and everything below it, PostgreSQL and the short-lived connections of its
probes included; idle is processor time in percent of one core, of the busier node. Memory is the
proportional share (PSS) of all of a node's processes: what would be free without them. Goals: at
most 2 %, 150 MiB, 40 MiB. This file must not know what a node does all day.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from bench.figures import Figure, Options, median, table, tell
from bench.pair import Pair, running_pair

SETTLE_S: Final = 8.0
"""After the copies are in sync, the first checkpoint and the last of the start are over by then."""
WATCH_S: Final = 12.0
MIB: Final = 1024 * 1024


def measured(names: Iterable[str], options: Options) -> list[Figure]:
    """Watch one idle pair for as many spans as there are runs."""
    with running_pair(1) as pair:
        time.sleep(SETTLE_S)
        spans = [idle_percent(pair) for _ in range(options.runs)]
        node = [max(_mib(pair.family(one)) for one in ("a", "b")) for _ in range(options.runs)]
        witness = [_mib(pair.family("w")) for _ in range(options.runs)]
    heads = ("of a core, %", "primary", "standby", "witness")
    tell(table(heads, [(f"span {number}", *span) for number, span in enumerate(spans, 1)]))
    busier = [max(span[0], span[1]) for span in spans]
    figures = [
        Figure("node.idle", median(busier), max(busier), "%"),
        Figure("node.memory", median(node), max(node), "MiB"),
        Figure("witness.memory", median(witness), max(witness), "MiB"),
    ]
    wanted = set(names)
    return [one for one in figures if one.bench in wanted]


def idle_percent(pair: Pair) -> tuple[float, ...]:
    """Watch the primary, the standby and the witness for WATCH_S."""
    primary = pair.wait_in_sync()
    order = (primary, "b" if primary == "a" else "a", "w")
    before, begun_s = [spent_s(pair.family(one)) for one in order], time.monotonic()
    time.sleep(WATCH_S)
    after, took_s = [spent_s(pair.family(one)) for one in order], time.monotonic() - begun_s
    return tuple((last - first) / took_s * 100 for first, last in zip(before, after, strict=True))


def spent_s(pids: Iterable[int], stat: Callable[[int], str] | None = None) -> float:
    """Sum the processor time of these processes and of their children that have ended."""
    read = stat or _stat
    return sum(_seconds(read(pid)) for pid in pids)


def _stat(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""  # it ended, and its parent carries its time now


def _seconds(stat: str) -> float:
    """Read utime, stime, cutime and cstime; the command's name may hold spaces and brackets."""
    fields = stat.rpartition(")")[2].split()
    return sum(int(one) for one in fields[11:15]) / os.sysconf("SC_CLK_TCK")


def _mib(pids: Iterable[int]) -> float:
    return sum(_pss_bytes(pid) for pid in pids) / MIB


def _pss_bytes(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return next(
        (int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("Pss:")), 0
    )
