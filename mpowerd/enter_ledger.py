"""Enter new SQL files at the end of the ledger: ``python -m mpowerd.enter_ledger``.

Schema files before functions, each by name. A line that stands is never changed here: a file that
was changed after it was entered stays a complaint until it is put back and the change written as
the next version.
"""

from __future__ import annotations

import hashlib

from mpowerd.migrations import HOUSE, LEDGER


def enter() -> list[str]:
    """Append what is not entered yet; the paths."""
    entered = LEDGER.read_text(encoding="utf-8") if LEDGER.exists() else ""
    known = {line.partition("  ")[2] for line in entered.splitlines()}
    files = [*sorted(LEDGER.parent.glob("*.sql")), *sorted(HOUSE.glob("mpowerd/*/functions/*.sql"))]
    fresh = [path for path in files if path.relative_to(HOUSE).as_posix() not in known]
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(HOUSE).as_posix()}\n"
        for path in fresh
    ]
    LEDGER.write_text(entered + "".join(lines), encoding="utf-8")
    return [path.relative_to(HOUSE).as_posix() for path in fresh]


if __name__ == "__main__":
    enter()
