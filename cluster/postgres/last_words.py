"""What PostgreSQL said of its end, out of its log: the lines that explain it, without the many that
do not. Pure.

The lines since its last start count; what it answered to probes while it was starting is noise that
once drowned the reason. It must not know why it ended.
"""

from __future__ import annotations

import re
from typing import Final

STARTING: Final = " LOG:  starting PostgreSQL "
NOISE: Final = re.compile(
    r"the database system is (?:starting up|shutting down|not yet accepting connections)"
    r"|Consistent recovery state has not been yet reached"
    r"|terminating (?:walreceiver process|connection) due to administrator command"
)
PREFIX: Final = re.compile(r"^[0-9-]{10} [0-9:.]{8,12} \S+ \[\d+\] .*?(?=[A-Z]{3,9}:  )")
GRAVE: Final = re.compile(r"^(?:FATAL|PANIC|ERROR|WARNING):")
MORE: Final = re.compile(r"^(?:DETAIL|HINT|CONTEXT):")
WORDS: Final = 700
"""Characters of a sentence that a person still reads to its end."""


def telling(log: str) -> str:
    """The grave lines since the last start with their details; without any, the last lines."""
    _, _, since = log.rpartition(STARTING)
    lines = [PREFIX.sub("", line).strip() for line in since.splitlines()[since != log :]]
    lines = [line for line in lines if line and not NOISE.search(line)]
    grave: list[str] = []
    explains = False
    for line in lines:
        explains = bool(GRAVE.match(line)) or (explains and bool(MORE.match(line)))
        if explains and line not in grave:
            grave.append(line)
    return " ".join(grave or lines)[-WORDS:].replace(":  ", ": ")
