"""The proof of an export: every hash is recomputed from the fields that are shown, line by line,
and ends at the signed root.

Of a range it is proven too that nothing was left out: the leaves between the two checkpoints are
all there, each leads to a link that is there, the links of a chain follow one another without a
gap, and the first of them is its chain's very first or has only rows that are older than the range.
This file must not know any server.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Struct

from clients.ops.exporting import CHAIN_BITS, PLACE, Head
from clients.ops.proving import LOG, Proof, Span
from protocols.catalogue.audit import Trouble
from protocols.checkpoints import Checkpoint, Keys, leaf_of
from protocols.evidence import record_of
from protocols.merkle import Tree, grown, root


class _Wrong(Exception):  # noqa: N818 - a finding, not an error
    """What is wrong, and where."""

    def __init__(self, link: int, what: str, position: int = 0) -> None:
        chain, place = (link >> CHAIN_BITS, link & PLACE) if link >= 0 else (LOG, 0)
        self.trouble = Trouble(chain, place, position, what)
        super().__init__(what)


def _moment(text: str) -> dt.datetime | None:
    """Read an edge of a range; ValueError without a zone."""
    if not text:
        return None
    found = dt.datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError(f"{text} has no zone")
    return found


class Range(Struct, frozen=True):
    """From ``first`` until before ``before``; None is no edge."""

    first: dt.datetime | None = None
    before: dt.datetime | None = None

    def holds(self, at: dt.datetime) -> bool:
        """Say whether a row of that time is in it."""
        return (self.first is None or at >= self.first) and (
            self.before is None or at < self.before
        )

    def follows(self, times: Iterable[dt.datetime]) -> bool:
        """Say whether rows of these times all lie before it."""
        return self.first is not None and all(at < self.first for at in times)


class Proving:
    """Proves an export line by line. ``public`` is our own copy of the board's key; ``cluster`` ''
    takes the export's word for the board's name, which that key signed.
    """

    def __init__(self, cluster: str, public: Keys) -> None:
        self._cluster, self._public = cluster, public
        self.checkpoint: Checkpoint | None = None
        self._range = Range()
        self._tree = Tree()
        self._heads: dict[int, bytes] = {}
        self._link: dict[str, Any] = {}
        self._records: list[bytes] = []
        self._times: list[dt.datetime] = []
        self._last: dict[int, tuple[int, bytes]] = {}
        self._covered: dict[int, int] = {}
        self._links = self._entries = self._inside = 0
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
        seen = Proof(self._entries, self._links, passed, self._tree.size, self.checkpoint, trouble)
        return msgspec.structs.replace(seen, span=self._span())

    def _span(self) -> Span | None:
        if self._range == Range() or self.checkpoint is None:
            return None
        signed = dt.datetime.fromisoformat(self.checkpoint.at)
        until = min(self._range.before or signed, signed)
        first = self._range.first
        return Span("" if first is None else first.isoformat(), until.isoformat(), self._inside)

    def _take(self, number: int, line: bytes) -> None:
        try:
            if number == 1:
                self._begin(msgspec.json.decode(line, type=Head))
                return
            said: Any = msgspec.json.decode(line)
            if self._ended:
                raise _Wrong(-1, f"line {number}: something follows the end")
            if "leaf" in said:
                self._leaf(said["leaf"], said["link"], bytes.fromhex(said["hash"]))
            elif "link" in said:
                self._close_link()
                self._link = said
            elif "end" in said:
                self._end(said["end"])
            else:
                ((kind, fields),) = said.items()
                self._records.append(record_of(kind, fields))
                self._times.append(dt.datetime.fromisoformat(fields["at"]))
        except (msgspec.MsgspecError, ValueError, KeyError, TypeError, AttributeError) as wrong:
            at = self._link.get("link", -1)
            raise _Wrong(at, f"line {number} cannot be read: {wrong}") from None

    def _begin(self, head: Head) -> None:
        if head.checkpoint is None:
            raise _Wrong(-1, "line 1 holds no checkpoint: this is no export of an audit")
        self.checkpoint = head.checkpoint.read()
        cluster = self._cluster or head.cluster
        signer = self._public.signer(cluster, self.checkpoint)
        if signer < 0:
            raise _Wrong(-1, "the export's checkpoint was not signed by this board's key")
        self._range = Range(_moment(head.first), _moment(head.before))
        self._tree = Tree(0, tuple(bytes.fromhex(one) for one in head.peaks))
        if head.since is None:
            if head.peaks:
                raise _Wrong(-1, "line 1 holds peaks and not the checkpoint they belong to")
            return
        since = head.since.read()
        if not 0 <= self._public.signer(cluster, since) <= signer:
            raise _Wrong(-1, "the checkpoint the export follows was not signed by this board's key")
        self._tree = Tree(since.size, self._tree.peaks)
        if not self._tree.fits or root(self._tree) != since.root:
            raise _Wrong(-1, "the peaks are not those of the checkpoint the export follows")
        first = self._range.first
        if first is None or dt.datetime.fromisoformat(since.at) > first:
            raise _Wrong(-1, f"it begins at {since.at}, and not where it says")

    def _leaf(self, leaf: int, link: int, link_hash: bytes) -> None:
        if leaf != self._tree.size:
            raise _Wrong(-1, f"leaf {leaf} follows leaf {self._tree.size - 1}")
        self._tree = grown(self._tree, [leaf_of(link, link_hash)])
        self._heads[link] = link_hash

    def _close_link(self) -> None:
        """All rows of a link were read: it follows its chain, and its hash is theirs."""
        said, records, times = self._link, self._records, self._times
        if not said:
            return
        self._link, self._records, self._times = {}, [], []
        link, previous = said["link"], bytes.fromhex(said["previous"])
        chain = link >> CHAIN_BITS
        start = (chain << CHAIN_BITS, hashlib.sha256(chain.to_bytes(4, "big")).digest())
        if link & PLACE > 1 and chain not in self._last and self._range.follows(times):
            start = (link - 1, previous)
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
        self._inside += sum(self._range.holds(at) for at in times)

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
