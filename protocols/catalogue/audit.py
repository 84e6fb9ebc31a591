"""The audit: proving that nothing of it was changed, and reading it. Nothing here changes it.

A proof is walked in slices, so that it never stalls a payment: each answer says where it got to.
``audit.links`` recomputes the chains from the rows they cover, ``audit.tree`` the log of heads from
its leaves, with every signature on the way. The first trouble ends a walk by name.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from protocols.catalogue.body import Body, Nothing
from protocols.checkpoints import Checkpoint, Moment
from protocols.operation import Operation, Role
from protocols.values import RequestKey, Text

Link = Annotated[int, Meta(ge=-1, le=2**62)]
Remark = Annotated[
    str, Meta(min_length=3, max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f\ud800-\udfff]*\Z")
]
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
    """Recompute the log from a tree of that size and peaks, not beyond ``upto`` leaves. ``key``:
    which of the board's keys, counted from the oldest, signed what was seen so far.
    """

    size: Leaf = 0
    peaks: Peaks = []
    upto: Leaf = 2**62
    key: Annotated[int, Meta(ge=0, le=1000)] = 0


class Climbed(Body, frozen=True):
    """The tree now; how many checkpoints were passed, each with its root and signature right; the
    key that signed the last of them.
    """

    size: int
    peaks: list[bytes]
    checkpoints: int
    done: bool
    trouble: Trouble | None = None
    key: int = 0


class State(Body, frozen=True):
    """How many heads the log has, how many checkpoints, and the newest of them."""

    leaves: int
    checkpoints: int
    newest: Checkpoint | None = None


class Look(Body, frozen=True):
    """Entries, the newest first. '' leaves a filter out; ``since`` and ``before`` are moments (ISO
    with a zone). Where an answer ends, the next begins: its ``end`` is this ``before`` and so on.
    """

    user: Text = ""
    object: Text = ""
    operation: Annotated[str, Meta(max_length=60, pattern=r"^[a-z_.]*\Z")] = ""
    since: Moment = ""
    before: Moment = ""
    before_link: Leaf = 2**62
    before_position: Annotated[int, Meta(ge=0, le=40_000)] = 40_000


class Entry(Body, frozen=True):
    """Who did what, with which outcome, about what, when, where and why. ``details`` is JSON: what
    was asked, ``before`` and ``after``. ``term``: whose primary wrote it. ``key``: the request's
    ('' without one).
    """

    at: str
    link: int
    position: int
    term: int
    what: str
    outcome: str
    user: str
    person: str
    role: str
    subject: str
    address: str
    counter: str
    key: str
    object: str
    details: str
    reason: str


class Entries(Body, frozen=True):
    """A page; ``done``: nothing older fits. A page may be empty and not the last."""

    entries: list[Entry]
    done: bool
    before: str = ""
    before_link: int = 0
    before_position: int = 0


class Export(Body, frozen=True):
    """Begin an export of the audit, and why: all of it, or what was written from ``since`` until
    before ``until`` (moments, ISO with a zone; '' is no edge). It is an entry itself.
    """

    reason: Remark
    since: Moment = ""
    until: Moment = ""


class Span(Body, frozen=True):
    """Links of one chain, the last included."""

    first: int
    last: int


class Exported(Body, frozen=True):
    """What is exported: of each chain the links up to its head under ``checkpoint``; for a range,
    from its head under ``since`` on, the log's tree of which has these ``peaks``.
    """

    checkpoint: Checkpoint
    public_key: str
    since: Checkpoint | None = None
    peaks: Peaks = []
    spans: list[Span] = []


class Leaves(Body, frozen=True):
    """The log's leaves from ``first`` on."""

    first: Leaf = 0


class Head(Body, frozen=True):
    """One leaf: a chain stood at this link with this hash."""

    link: int
    hash: bytes


class LeavesPage(Body, frozen=True):
    """Leaves in order; none: there are no more."""

    leaves: list[Head]


class Rows(Body, frozen=True):
    """The rows after one, of the export that was begun under this key."""

    export: RequestKey
    after_link: Link = -1
    after_position: Annotated[int, Meta(ge=0, le=40_000)] = 0


class Row(Body, frozen=True):
    """One row and its link. ``evidence``: what of it is hashed, a PostgreSQL record."""

    link: int
    at: str
    term: int
    covers: int
    previous: bytes
    hash: bytes
    kind: str
    position: int
    evidence: bytes


class RowsPage(Body, frozen=True):
    """Rows in the order of the chains; none: there are no more."""

    rows: list[Row]


Print = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]


class Signers(Body, frozen=True):
    """The fingerprints (SHA-256, hexadecimal) of the keys this node knows, the oldest first; the
    one that signed the newest checkpoint ('': none of them); whether anything is signed at all.
    """

    prints: list[str]
    last: str
    signed: bool


class ChangeKey(Body, frozen=True):
    """That the key ``following`` is to sign after ``former``, by their fingerprints, and why."""

    former: Print
    following: Print
    reason: Remark


READERS = frozenset({Role.AUDITOR, Role.ADMIN, Role.OPS})
OPERATIONS = (
    Operation(
        "audit.state", Nothing, State, READERS, keyed=False, purpose="see how far the audit goes"
    ),
    Operation("audit.show", Look, Entries, READERS, keyed=False, purpose="read the audit"),
    Operation(
        "audit.export",
        Export,
        Exported,
        frozenset({Role.AUDITOR, Role.ADMIN}),
        keyed=True,
        purpose="export the audit",
    ),
    Operation(
        "audit.leaves", Leaves, LeavesPage, READERS, keyed=False, purpose="read the audit's log"
    ),
    Operation(
        "audit.rows",
        Rows,
        RowsPage,
        frozenset({Role.AUDITOR, Role.ADMIN}),
        keyed=False,
        purpose="read the rows of an export",
    ),
    Operation(
        "audit.links", Prove, Proven, READERS, keyed=False, purpose="prove the audit's chains"
    ),
    Operation(
        "audit.tree", Climb, Climbed, READERS, keyed=False, purpose="prove the audit's checkpoints"
    ),
    Operation(
        "audit.signers",
        Nothing,
        Signers,
        frozenset({Role.ADMIN}),
        keyed=False,
        purpose="see the keys of the audit",
    ),
    Operation(
        "audit.change_key",
        ChangeKey,
        Signers,
        frozenset({Role.ADMIN}),
        keyed=True,
        purpose="change the key that signs the audit",
        again="always",
    ),
)
