"""The failover diagram, drawn from the table: ``python -m cluster.diagram`` prints what stands in
docs/ARCHITECTURE.md.

One arrow for each pair of states, labelled with the first words of its reasons. It must not know
more than the table says.
"""

from __future__ import annotations

import sys
from typing import Final

from cluster.machine import TABLE
from cluster.states import PRIMARIES, State

LABEL: Final = 56
"""Characters of a reason on an arrow: more than that nobody reads in a diagram."""


def _short(reason: str) -> str:
    words = reason.format(me="this node", peer="the peer").replace(":", " -").rstrip(".")
    head = words.split(";")[0]
    return head if len(head) <= LABEL else head[: LABEL - 1].rsplit(" ", 1)[0] + " …"


def diagram() -> str:
    """Mermaid text of all changes of state."""
    arrows: dict[tuple[str, str], list[str]] = {}
    for row in TABLE:
        if row.to is None:
            continue
        every = set(row.states) >= PRIMARIES and len(row.states) <= len(PRIMARIES)
        anywhere = len(row.states) > len(PRIMARIES) + 1
        if every or anywhere:
            group = "ANY_PRIMARY" if every else "ANY_STATE"
            arrows.setdefault((group, row.to), []).append(_short(row.reason))
            continue
        for state in row.states:
            if state is not row.to:
                arrows.setdefault((state, row.to), []).append(_short(row.reason))
    lines = ["stateDiagram-v2", "    [*] --> INIT", "    DRAINING --> [*]"]
    for (source, to), reasons in arrows.items():
        lines.append(f"    {source} --> {to}: {' / '.join(dict.fromkeys(reasons))}")
    lines.append(f"    note left of ANY_PRIMARY: {', '.join(s for s in State if s in PRIMARIES)}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(diagram())
