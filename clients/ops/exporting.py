"""An export of the audit: JSON lines that prove themselves, without any database.

    {"checkpoint": …, "cluster": …, "public_key": …, …}   the head: what all below is proven by
    {"leaf": 0, "link": …, "hash": …}                     the log of heads, leaf by leaf
    {"link": …, "previous": …, "hash": …, "covers": …}    a link, and then what it covers
    {"request": {…}} | {"entry": {…}}                     a row, field by field
    {"end": {"links": …, "entries": …}}                   whatever lacks it was cut off

An export of a range lies between two checkpoints: its leaves are those that the later one has more,
and the peaks of the earlier one's tree stand for all before. A chain that was there already begins
with its head of then, whose rows are all older than the range: nothing was left out. Written as a
stream, so that millions of rows fit. This file must not know where the lines go, nor how they are
proven (``exported``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec
from msgspec import Struct

from clients.asking import Asking
from protocols.catalogue import audit as words
from protocols.checkpoints import Written, written
from protocols.evidence import fields_of
from protocols.values import RequestKey

CHAIN_BITS: Final = 40
PLACE: Final = (1 << CHAIN_BITS) - 1
Write = Callable[[dict[str, Any]], None]


class Head(Struct, frozen=True, rename={"first": "from", "before": "to"}):
    """The first line. ``first`` and ``before``: the range, from a moment until before another, ''
    for no edge. ``since``: the checkpoint that the export follows, ``peaks`` its tree's.
    """

    checkpoint: Written | None = None
    cluster: str = ""
    public_key: str = ""
    since: Written | None = None
    peaks: list[str] = []
    first: str = ""
    before: str = ""


class Done(Struct, frozen=True):
    """How much was exported, and the moment of the checkpoint it reaches to."""

    links: int
    entries: int
    signed_until: str


async def export(
    link: Asking, cluster: str, body: words.Export, key: RequestKey, write: Write
) -> Done:
    """Export what is asked for, up to a signed checkpoint."""
    begun: words.Exported = (await link.submit("audit.export", body, key)).body
    head = Head(
        written(begun.checkpoint),
        cluster,
        begun.public_key,
        None if begun.since is None else written(begun.since),
        [one.hex() for one in begun.peaks],
        body.since,
        body.until,
    )
    write(msgspec.to_builtins(head))
    await _leaves(link, begun, write)
    links = entries = 0
    after = (-1, 0)
    while True:
        rows: list[words.Row] = (await link.ask("audit.rows", words.Rows(key, *after))).rows
        if not rows:
            break
        for row in rows:
            if row.link != after[0]:
                links += 1
                write(_link_line(row))
            write({row.kind: fields_of(row.kind, row.evidence)})
            entries += 1
            after = (row.link, row.position)
    write({"end": {"links": links, "entries": entries}})
    return Done(links, entries, begun.checkpoint.at)


async def _leaves(link: Asking, begun: words.Exported, write: Write) -> None:
    """Write the log of heads between the two checkpoints."""
    heads = begun.checkpoint.size
    leaf = 0 if begun.since is None else begun.since.size
    while leaf < heads:
        page: words.LeavesPage = await link.ask("audit.leaves", words.Leaves(leaf))
        for one in page.leaves[: heads - leaf]:
            write({"leaf": leaf, "link": one.link, "hash": one.hash.hex()})
            leaf += 1
        if not page.leaves:
            break


def _link_line(row: words.Row) -> dict[str, Any]:
    return {
        "link": row.link,
        "chain": row.link >> CHAIN_BITS,
        "place": row.link & PLACE,
        "at": row.at,
        "term": row.term,
        "covers": row.covers,
        "previous": row.previous.hex(),
        "hash": row.hash.hex(),
    }
