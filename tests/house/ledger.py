"""Released SQL never changes: every schema and function file is in a ledger by its sha256.

A line of the ledger is ``HASH  PATH``, the path relative to the house. A change of behaviour is a
new file with the next version; so two releases can share a database during an upgrade. Pure: it
is given the ledger's text and the files' bytes.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping

LINE = re.compile(r"([0-9a-f]{64})  (\S+)")


def ledger_complaints(ledger: str | None, files: Mapping[str, bytes]) -> Iterator[str]:
    """Complain of files that changed, vanished or were never entered; ``None`` is no ledger."""
    if ledger is None:
        if files:
            yield f"{len(files)} SQL files and no ledger: what was released cannot be told"
        return
    entered: dict[str, str] = {}
    for number, line in enumerate(ledger.splitlines(), 1):
        match = LINE.fullmatch(line)
        if match is None:
            yield f"ledger line {number}: is not `HASH  PATH`"
        elif match[2] in entered:
            yield f"ledger line {number}: {match[2]} is entered twice"
        else:
            entered[match[2]] = match[1]
    for path in sorted(entered.keys() - files.keys()):
        yield f"{path}: is in the ledger but gone"
    for path in sorted(files.keys() - entered.keys()):
        yield f"{path}: is not in the ledger"
    for path in sorted(files.keys() & entered.keys()):
        if hashlib.sha256(files[path]).hexdigest() != entered[path]:
            yield f"{path}: changed after it was entered; write the next version instead"
