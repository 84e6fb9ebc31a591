"""The history of the shared record: one entry a change, and the terms and people's acts in it.

An entry is the record as it was changed, without what only machines need. Invariants: two nodes'
entries of one change are the same entry, so that what either has forgotten the other may tell; what
nobody kept is said to be missing, never guessed. Pure; it must not know where entries are kept or
how they are shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from protocols.peer import Record

ROUTINE: Final = frozenset({"sync", "solo", "bump"})
"""What the machines do again and again between two terms; it gives way first."""
BEGINNINGS: Final = frozenset({"bootstrap", "claim", "reclaim", "failover"})
"""The kinds of change that make somebody else the primary."""
OPENINGS: Final = frozenset({"open", "bootstrap"})
MACHINES: Final = ROUTINE | (BEGINNINGS - {"bootstrap", "failover"}) | {"open", "off", "untaken"}
"""What no person asked for at that moment (``off``: a switchover called off; ``untaken``: a place
that was handed over and not taken).
"""
FIRST: Final = "bootstrap"
MAX_TEXT: Final = 200
"""Of a reason: some hundred entries must fit one answer."""


class Entry(Struct, frozen=True, omit_defaults=True):
    """One change of the record. ``wall_time`` in Unix seconds, of the node that made it;
    ``gap_ms``: for how long nobody had served when this term opened, -1 not known; ``why`` it began
    and ``since`` when, as every record of the term says.
    """

    incarnation: int
    epoch: int
    term: int
    primary: str
    op_id: str
    by: str = ""
    reason: str = ""
    wall_time: float = 0.0
    sync: str = ""
    opened: bool = True
    prev: str = ""
    gap_ms: int = -1
    why: str = ""
    since: float = 0.0

    @property
    def place(self) -> tuple[int, int, str]:
        """Where it stands in the history; a set-back arbiter may fill one place twice."""
        return (self.incarnation, self.epoch, self.op_id)

    @property
    def kind(self) -> str:
        """The intent that made it, as its name says: claim, open, pause, sync, …"""
        return self.op_id.rpartition("-")[2].rstrip("0123456789")


def entry_of(record: Record) -> Entry:
    """What history keeps of this record."""
    return Entry(
        incarnation=record.incarnation,
        epoch=record.epoch,
        term=record.term,
        primary=record.primary,
        op_id=record.op_id,
        by=record.by,
        reason=record.reason[:MAX_TEXT],
        wall_time=record.wall_time,
        sync=record.sync,
        opened=record.opened,
        prev=record.prev,
        gap_ms=record.gap_ms,
        why=record.why[:MAX_TEXT],
        since=record.since,
    )


class Term(Struct, frozen=True):
    """One reign: who, since when, why; ``gap_ms`` without service before it opened (-1 not known);
    ``until_s`` the next one began (0: it lasts or is not known). ``opened``: it
    ever served. ``whole``: its beginning itself was kept.
    """

    incarnation: int
    term: int
    primary: str
    prev: str
    kind: str
    since_s: float
    until_s: float
    opened_s: float
    opened: bool
    gap_ms: int
    why: str
    epoch: int
    whole: bool

    @property
    def is_first(self) -> bool:
        """The cluster was made with it."""
        return self.why.startswith(FIRST)


def merged(*books: Iterable[Entry]) -> list[Entry]:
    """All entries of all nodes, each once, in the order of the record."""
    found = {one.place: one for book in books for one in book}
    return [found[place] for place in sorted(found)]


def terms_of(entries: Iterable[Entry]) -> list[Term]:
    """Every term that some entry tells of, in order; ``entries`` as ``merged`` gives them."""
    reigns: dict[tuple[int, str], list[Entry]] = {}
    for one in entries:
        reigns.setdefault((one.term, one.primary), []).append(one)
    starts = [kept[0].since or kept[0].wall_time for kept in reigns.values()]
    ends = [*starts[1:], 0.0]
    return [_term(kept, until_s) for kept, until_s in zip(reigns.values(), ends, strict=True)]


def _term(kept: list[Entry], until_s: float) -> Term:
    first = kept[0]
    opened = next((one for one in kept if one.opened), None)
    return Term(
        incarnation=first.incarnation,
        term=first.term,
        primary=first.primary,
        prev=first.prev,
        kind=first.kind,
        since_s=first.since or first.wall_time,
        until_s=until_s,
        opened_s=opened.wall_time if opened and opened.kind in OPENINGS else 0.0,
        opened=opened is not None,
        gap_ms=opened.gap_ms if opened else -1,
        why=first.why or first.reason,
        epoch=first.epoch,
        whole=first.kind in BEGINNINGS,
    )


def acts_of(entries: Iterable[Entry]) -> list[Entry]:
    """What people asked for: every change that no machine makes by itself."""
    return [one for one in entries if one.kind not in MACHINES]
