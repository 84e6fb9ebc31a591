"""The proof of the audit, walked from a client: every chain, the whole log, against what was kept
elsewhere.

The servers recompute the rows, in slices; what they cannot be trusted with is decided here: whether
the newest checkpoint carries the board's signature by *our* copy of the key, and whether the log
still has, at the size of each checkpoint that was kept outside, the root that was signed then. This
file must not know screens nor where checkpoints were kept.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from msgspec import Struct

from protocols.catalogue import audit as words
from protocols.catalogue.audit import Trouble
from protocols.catalogue.body import Nothing
from protocols.checkpoints import Checkpoint, Keys
from protocols.merkle import Tree, root

LOG: Final = -1
"""In the place of a chain: the log of heads itself."""
NOTHING: Final = "there is no entry at all, and the first administrator of a board has one"
Ask = Callable[[str, Struct], Awaitable[Any]]


class Sealed(Struct, frozen=True):
    """A checkpoint that was kept outside the database, and where."""

    place: str
    checkpoint: Checkpoint


class Span(Struct, frozen=True):
    """An export's range, from ``first`` ('' the beginning) until before ``until``, and how many
    entries lie inside: beyond its edges are only those that prove them.
    """

    first: str
    until: str
    inside: int


class Proof(Struct, frozen=True):
    """What was found; ``trouble`` None: all of it is as it was written and signed. ``span``: of an
    export that is not the whole audit.
    """

    entries: int = 0
    links: int = 0
    checkpoints: int = 0
    heads: int = 0
    newest: Checkpoint | None = None
    trouble: Trouble | None = None
    span: Span | None = None


async def prove(ask: Ask, cluster: str, public: Keys | None, against: Sequence[Sealed]) -> Proof:
    """Walk all of it; ``public`` None: signatures are only the servers' word."""
    state: words.State = await ask("audit.state", Nothing())
    entries, links, trouble = await _chains(ask)
    if not links and trouble is None:
        trouble = Trouble(LOG, 0, 0, NOTHING)
    wanted = [*against]
    if state.newest is not None:
        wanted.append(Sealed("the database", state.newest))
    trouble = trouble or next(
        (found for one in wanted if (found := _unfit(one, state, cluster, public))), None
    )
    size, checkpoints = 0, 0
    if trouble is None:
        size, checkpoints, trouble = await _log(ask, state.leaves, wanted)
    return Proof(entries, links, checkpoints, size, state.newest, trouble)


async def _chains(ask: Ask) -> tuple[int, int, Trouble | None]:
    entries = links = 0
    after = -1
    while True:
        said: words.Proven = await ask("audit.links", words.Prove(after))
        entries, links = entries + said.entries, links + said.links
        if said.done or said.trouble is not None or said.last <= after:
            return entries, links, said.trouble
        after = said.last


def _unfit(one: Sealed, state: words.State, cluster: str, public: Keys | None) -> Trouble | None:
    """Why a checkpoint cannot be this log's at all."""
    said = one.checkpoint
    if public is not None and public.signer(cluster, said) < 0:
        what = f"the checkpoint of {said.at} at {one.place} was not signed by this board's key"
        return Trouble(LOG, said.size, 0, what)
    if said.size > state.leaves:
        what = (
            f"the checkpoint of {said.at} at {one.place} covers {said.size} heads, the log has"
            f" {state.leaves}: its end was cut off, or an older state was put back"
        )
        return Trouble(LOG, said.size, 0, what)
    return None


async def _log(ask: Ask, leaves: int, wanted: Sequence[Sealed]) -> tuple[int, int, Trouble | None]:
    """Climb the log, stopping at every size of which a root is known."""
    tree, passed, key = Tree(), 0, 0
    for stop in sorted({one.checkpoint.size for one in wanted} | {leaves}):
        while tree.size < stop:
            said: words.Climbed = await ask(
                "audit.tree", words.Climb(tree.size, list(tree.peaks), stop, key)
            )
            passed += said.checkpoints
            if said.trouble is not None:
                return tree.size, passed, said.trouble
            if said.size <= tree.size:
                what = f"the log ends before its leaf {stop}"
                return tree.size, passed, Trouble(LOG, tree.size, 0, what)
            tree, key = Tree(said.size, tuple(said.peaks)), said.key
        for one in wanted:
            if one.checkpoint.size == stop and one.checkpoint.root != root(tree):
                what = (
                    f"the checkpoint of {one.checkpoint.at} at {one.place} was signed over another"
                    " history than the one that is here"
                )
                return tree.size, passed, Trouble(LOG, stop, 0, what)
    return tree.size, passed, None
