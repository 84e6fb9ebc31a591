"""The audit: proving that nothing of it was changed, and reading it. Nothing here changes it.

A proof is walked in slices, so that it never stalls a payment: each answer says where it got to.
``audit.links`` recomputes the chains from the rows they cover, ``audit.tree`` the log of heads from
its leaves, with every signature on the way. The first trouble ends a walk by name.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from protocols.catalogue.body import Body, Nothing
from protocols.checkpoints import Checkpoint
from protocols.operation import Operation, Role

Link = Annotated[int, Meta(ge=-1, le=2**62)]
Leaf = Annotated[int, Meta(ge=0, le=2**62)]
Peaks = Annotated[list[Annotated[bytes, Meta(min_length=32, max_length=32)]], Meta(max_length=63)]


class Trouble(Body, frozen=True):
    """The first thing that is wrong: ``link`` of ``chain`` (-1: the log itself), its ``position``
    (0: not one entry alone), and what.
    """

    chain: int
    link: int
    position: int
    what: str


class Prove(Body, frozen=True):
    """Recompute the links that follow ``after`` (-1: from the first)."""

    after: Link = -1


class Proven(Body, frozen=True):
    """``last`` link looked at, how many links and entries these were, whether all are done."""

    last: int
    links: int
    entries: int
    done: bool
    trouble: Trouble | None = None


class Climb(Body, frozen=True):
    """Recompute the log from a tree of that size and peaks, not beyond ``upto`` leaves."""

    size: Leaf = 0
    peaks: Peaks = []
    upto: Leaf = 2**62


class Climbed(Body, frozen=True):
    """The tree now; how many checkpoints were passed, each with its root and signature right."""

    size: int
    peaks: list[bytes]
    checkpoints: int
    done: bool
    trouble: Trouble | None = None


class State(Body, frozen=True):
    """How many heads the log has, how many checkpoints, and the newest of them."""

    leaves: int
    checkpoints: int
    newest: Checkpoint | None = None


READERS = frozenset({Role.AUDITOR, Role.ADMIN, Role.OPS})
OPERATIONS = (
    Operation(
        "audit.state", Nothing, State, READERS, keyed=False, purpose="see how far the audit goes"
    ),
    Operation(
        "audit.links", Prove, Proven, READERS, keyed=False, purpose="prove the audit's chains"
    ),
    Operation(
        "audit.tree", Climb, Climbed, READERS, keyed=False, purpose="prove the audit's checkpoints"
    ),
)
