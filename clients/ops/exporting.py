"""An export of the audit: JSON lines that prove themselves, without any database.

    {"checkpoint": …, "cluster": …, "public_key": …}      the head: what all below is proven by
    {"leaf": 0, "link": …, "hash": …}                     the log of heads, every leaf
    {"link": …, "previous": …, "hash": …, "covers": …}    a link, and then what it covers
    {"request": {…}} | {"entry": {…}}                     a row, field by field
    {"end": {"links": …, "entries": …}}                   whatever lacks it was cut off

Written and proven as a stream, so that millions of rows fit. A proof recomputes every hash from the
fields that are shown and ends at the signed root. This file must not know where the lines go.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec

from clients.asking import Asking
from clients.ops.proving import LOG, Proof
from protocols.catalogue import audit as words
from protocols.catalogue.audit import Trouble
from protocols.checkpoints import Checkpoint, Keys, in_line, leaf_of, line_of
from protocols.evidence import fields_of, record_of
from protocols.merkle import Tree, grown, root
from protocols.values import RequestKey

CHAIN_BITS: Final = 40
PLACE: Final = (1 << CHAIN_BITS) - 1
Write = Callable[[dict[str, Any]], None]


async def export(
    link: Asking, cluster: str, body: words.Export, key: RequestKey, write: Write
) -> tuple[int, int]:
    """Export everything up to the newest checkpoint; how many links and entries."""
    begun: words.Exported = (await link.submit("audit.export", body, key)).body
    head = msgspec.json.decode(line_of(begun.checkpoint))
    write({**head, "cluster": cluster, "public_key": begun.public_key})
    heads = begun.checkpoint.size
    leaf = 0
    while leaf < heads:
        page: words.LeavesPage = await link.ask("audit.leaves", words.Leaves(leaf))
        for one in page.leaves[: heads - leaf]:
            write({"leaf": leaf, "link": one.link, "hash": one.hash.hex()})
            leaf += 1
        if not page.leaves:
            break
    links = entries = 0
    after = (-1, 0)
    while True:
        asked = words.Rows(key, heads, *after)
        rows: list[words.Row] = (await link.ask("audit.rows", asked)).rows
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
    return links, entries


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


class _Wrong(Exception):  # noqa: N818 - a finding, not an error
    """What is wrong, and where."""

    def __init__(self, link: int, what: str, position: int = 0) -> None:
        chain, place = (link >> CHAIN_BITS, link & PLACE) if link >= 0 else (LOG, 0)
        self.trouble = Trouble(chain, place, position, what)
        super().__init__(what)


class Proving:
    """Proves an export line by line. ``public`` is our own copy of the board's key; ``cluster`` ''
    takes the export's word for the board's name, which that key signed.
    """

    def __init__(self, cluster: str, public: Keys) -> None:
        self._cluster, self._public = cluster, public
        self.checkpoint: Checkpoint | None = None
        self._tree = Tree()
        self._heads: dict[int, bytes] = {}
        self._link: dict[str, Any] = {}
        self._records: list[bytes] = []
        self._last: dict[int, tuple[int, bytes]] = {}
        self._covered: dict[int, int] = {}
        self._links = self._entries = 0
        self._ended = False

    def prove(self, lines: Iterable[bytes]) -> Proof:
        """Prove the whole file."""
        trouble = None
        try:
            for number, line in enumerate(lines, 1):
                self._take(number, line)
            self._finish()
        except _Wrong as wrong:
            trouble = wrong.trouble
        passed = int(trouble is None)
        return Proof(self._entries, self._links, passed, self._tree.size, self.checkpoint, trouble)

    def _take(self, number: int, line: bytes) -> None:
        try:
            said: Any = msgspec.json.decode(line)
            if self._ended:
                raise _Wrong(-1, f"line {number}: something follows the end")
            if number == 1:
                self._begin(line, str(said.get("cluster", "")))
            elif "leaf" in said:
                self._leaf(said["leaf"], said["link"], bytes.fromhex(said["hash"]))
            elif "link" in said:
                self._close_link()
                self._link = said
            elif "end" in said:
                self._end(said["end"])
            else:
                ((kind, fields),) = said.items()
                self._records.append(record_of(kind, fields))
        except (msgspec.MsgspecError, ValueError, KeyError, TypeError, AttributeError) as wrong:
            at = self._link.get("link", -1)
            raise _Wrong(at, f"line {number} cannot be read: {wrong}") from None

    def _begin(self, line: bytes, named: str) -> None:
        self.checkpoint = in_line(line)
        if self.checkpoint is None:
            raise _Wrong(-1, "line 1 holds no checkpoint: this is no export of an audit")
        if self._public.signer(self._cluster or named, self.checkpoint) < 0:
            raise _Wrong(-1, "the export's checkpoint was not signed by this board's key")

    def _leaf(self, leaf: int, link: int, link_hash: bytes) -> None:
        if leaf != self._tree.size:
            raise _Wrong(-1, f"leaf {leaf} follows leaf {self._tree.size - 1}")
        self._tree = grown(self._tree, [leaf_of(link, link_hash)])
        self._heads[link] = link_hash

    def _close_link(self) -> None:
        """All rows of a link were read: it follows its chain, and its hash is theirs."""
        said, records = self._link, self._records
        if not said:
            return
        self._link, self._records = {}, []
        link, previous = said["link"], bytes.fromhex(said["previous"])
        chain = link >> CHAIN_BITS
        start = (chain << CHAIN_BITS, hashlib.sha256(chain.to_bytes(4, "big")).digest())
        before, before_hash = self._last.get(chain, start)
        if link != before + 1:
            raise _Wrong(link, "links are missing before it")
        if previous != before_hash:
            raise _Wrong(link, "it does not follow the link before it")
        if len(records) != said["covers"]:
            raise _Wrong(link, f"it covers {said['covers']} rows, {len(records)} are there")
        found = hashlib.sha256(previous + b"".join(records)).digest()
        if found != bytes.fromhex(said["hash"]):
            raise _Wrong(link, "a row was changed", 1 if len(records) == 1 else 0)
        if link in self._heads:
            if self._heads.pop(link) != found:
                raise _Wrong(link, "the link has another hash than the checkpoint that covers it")
            self._covered[chain] = link
        self._last[chain] = (link, found)
        self._links += 1
        self._entries += len(records)

    def _end(self, said: dict[str, int]) -> None:
        self._close_link()
        self._ended = True
        if said != {"links": self._links, "entries": self._entries}:
            raise _Wrong(-1, f"the end counts {said}, there were {self._links}, {self._entries}")

    def _finish(self) -> None:
        if self.checkpoint is None or not self._ended:
            raise _Wrong(-1, "the export was cut off: its last line is not the end")
        if (self._tree.size, root(self._tree)) != (self.checkpoint.size, self.checkpoint.root):
            raise _Wrong(-1, "the leaves are not those that the checkpoint signed")
        if self._heads:
            raise _Wrong(min(self._heads), "the checkpoint covers this link, and it is gone")
        for chain, (link, _) in self._last.items():
            if self._covered.get(chain) != link:
                raise _Wrong(link, "no checkpoint covers this link: it was added to the export")
