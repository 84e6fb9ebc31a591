"""The contest's table as README.md shows it: medians and worst, versions, machine, the command.

``python -m bench.failover.readme < FILE`` puts a table that ``make bench ONLY=failover`` printed
between README.md's marks. This file must not know how anything is measured.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from bench.failover.versions import ETCD, PATRONI, PG_AUTO_FAILOVER, POSTGRES_MAJOR
from bench.pair import HOUSE

BEGIN: Final = "<!-- failover table: begin -->"
END: Final = "<!-- failover table: end -->"
HEAD: Final = ("strike", "system", "median ms", "worst ms", "runs", "")


def machine() -> str:
    """Say what this was measured on."""
    return f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}"


def block(rows: Iterable[Sequence[object]], runs: int, where: str) -> str:
    """Write what stands between the marks."""
    lines = [HEAD, ("---",) * len(HEAD), *([_cell(one) for one in row] for row in rows)]
    peers = ", ".join(
        [
            PATRONI[0].replace("==", " ").replace("[psycopg3,etcd3]", ""),
            f"etcd {ETCD}",
            f"pg_auto_failover {PG_AUTO_FAILOVER['pg-auto-failover-cli']}",
            f"PostgreSQL {POSTGRES_MAJOR}",
        ]
    )
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    told = (
        f"The longest wait of any of the writers at work, systems in turn, {runs} runs each but"
        f" where the table counts fewer, on {where}; {peers}, at their defaults. Printed by"
        f" `make bench ONLY=failover RUNS={runs}`."
    )
    return f"{table}\n\n{told}"


def _cell(value: object) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" if isinstance(value, float) else str(value)


def placed(page: str, text: str) -> str:
    """Put the block between the marks. ValueError: the page has none."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"README.md has no place for the table: {BEGIN} and {END} mark it")
    return f"{before}{BEGIN}\n{text}\n{END}{after}"


def main() -> None:
    """Take the block from standard input."""
    path = HOUSE / "README.md"
    said = sys.stdin.read()
    text = said.partition(BEGIN)[2].partition(END)[0].strip() if BEGIN in said else said.strip()
    Path(path).write_text(placed(path.read_text(), text))


if __name__ == "__main__":
    main()
