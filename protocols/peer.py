"""What nodes, witness and operators say to each other, over mutual TLS with ALPN ``mpower-peer/1``.

Beats are level-triggered: everything a peer must act on (leaving, hand-over, an offered sync
generation) stands in every beat until it is over, so a lost beat loses nothing. The shared record
travels whole. Same framing as terminals. Who speaks is known from the certificate, never from the
message. This file must not know what anyone decides.
"""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Struct, field

PEER_VERSION: Final = 1
MAX_PEER_FRAME_BYTES: Final = 256 * 1024
"""A status answer with a long history is the largest message; 256 KiB bounds what one link can hold
in memory.
"""
MAX_CHAPTER_BYTES: Final = 128 * 1024
"""A hundred entries of history at their longest."""

Lsn = Annotated[int, Meta(ge=0, le=2**63 - 1)]
"""A WAL position in bytes. (msgspec admits 2**64 - 1 for int; PostgreSQL's LSNs stay far below
2**63.)
"""
Count = Annotated[int, Meta(ge=0, le=2**62)]
ShortText = Annotated[str, Meta(max_length=32)]
NodeName = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9]{0,15}\Z")]


class TimelineStep(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """One promotion: the new timeline, the LSN at which it left the old one, and the claim that
    made it.
    """

    tli: Count
    switch_lsn: Lsn
    op_id: str


class Record(Struct, frozen=True, forbid_unknown_fields=True):
    """The one shared record: who is primary, and who may succeed. ``epoch`` + 1 on every change.

    ``term`` + 1 only when the primary changes. ``sync`` is the node whose flush acknowledges ('' =
    null: one copy); ``sync_gen`` the generation of that relation; ``min_lsn`` the barrier that
    ``sync`` has flushed. ``opened`` false: claimed, not yet serving; ``prev`` the primary before
    the claim. ``op_id`` names the change, ``by`` and ``reason`` explain it, ``wall_time`` (Unix
    seconds) is for people only: no decision reads it. ``incarnation`` + 1 when a lost arbiter is
    rebuilt; ``consented``: the nodes whose copies are part of that new history.
    ``maintenance``: the node that is worked on ('' none). ``moved``: this arbiter is closed, the
    record was moved to the one of that name ('' it is not); nothing follows it here. ``trusted``:
    the nonce of the arbiter's life in which an operator decided that a lost node need not confirm.
    ``takeovers``: when (Unix seconds) the takeovers of the last hour were that nobody had asked
    for; ``capped``: paused by itself, because they were too many. ``gap_ms``: for how long nobody
    had been known to serve when this term opened (-1 not known), ``why`` it began, ``since`` when
    (Unix seconds): for people only, so that whoever reads any record of a term can tell of it.
    """

    cluster_id: str
    system_id: str
    incarnation: Count
    epoch: Count
    term: Count
    primary: NodeName
    sync: str = ""
    sync_gen: Count = 0
    min_lsn: Lsn = 0
    opened: bool = True
    prev: str = ""
    tli: Count = 1
    tli_history: tuple[TimelineStep, ...] = ()
    intent: str = ""
    paused: bool = False
    strict: bool = False
    maintenance: str = ""
    op_id: str = ""
    by: str = ""
    reason: str = ""
    wall_time: float = 0.0
    consented: tuple[NodeName, ...] = ()
    moved: Annotated[str, Meta(max_length=400)] = ""
    trusted: str = ""
    takeovers: tuple[Count, ...] = ()
    capped: bool = False
    gap_ms: Annotated[int, Meta(ge=-1, le=2**62)] = -1
    why: str = ""
    since: float = 0.0


class PeerMessage(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The base of all peer messages."""


class PeerHello(PeerMessage, tag="H", frozen=True):
    """First words either way; the certificate says who. A different cluster or version is refused
    by name.
    """

    version: int
    cluster: str


class Ground(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The settings of one running PostgreSQL on which an acknowledgement stands, as a new session
    sees them. ``version`` is server_version_num; ``weakened`` names who has a weaker
    synchronous_commit of his own ('' nobody).
    """

    version: Count
    fsync: ShortText
    full_page_writes: ShortText
    synchronous_commit: ShortText
    restart_after_crash: ShortText
    max_connections: Count
    max_worker_processes: Count
    max_wal_senders: Count
    max_prepared_transactions: Count
    max_locks_per_transaction: Count
    weakened: Annotated[str, Meta(max_length=200)] = ""


class NodeBeat(PeerMessage, tag="B", frozen=True):
    """One node's heartbeat, every 200 ms on every link and to the arbiter.

    ``counter`` grows by one a beat and restarts with ``boot`` (a random id of this process).
    ``state`` is the machine's state. LSNs are bytes (0 unknown). ``healthy`` is the last PostgreSQL
    probe's verdict and ``probe_age_ms`` its age. ``heard_ms`` is how long ago this node last heard
    the receiver on this link, to the arbiter on any (-1 never): a link is alive only both ways.
    ``token`` is the sync generation this standby holds; ``offered`` the one this primary offers in
    sync entry (0 none). ``leaving`` and ``handover`` carry their reason or are ''. ``vouched_lsn``:
    the highest flush of the record's sync generation that this primary has seen; an arbiter that
    was restarted learns again from it what the standby must hold. ``drained_lsn``: this
    primary was stopped in order for a switchover and its WAL ends there, its shutdown checkpoint
    included (0: it was not). ``ground``: the settings of its PostgreSQL (None: not known);
    ``receiving``: its walreceiver streams; ``replay_paused``: somebody paused its replay.
    ``began_lsn``: where the WAL ended that this primary's server found when it was started (0: it
    was not started as primary).
    """

    node: NodeName
    boot: str
    counter: Count
    incarnation: Count
    epoch: Count
    term: Count
    state: str
    system_id: str = ""
    tli: Count = 0
    flush_lsn: Lsn = 0
    receive_lsn: Lsn = 0
    replay_lsn: Lsn = 0
    healthy: bool = False
    probe_age_ms: int = -1
    loop_lag_ms: int = 0
    disk_free_mb: int = -1
    heard_ms: int = -1
    postmaster_start: Count = 0
    token: Count = 0
    offered: Count = 0
    leaving: str = ""
    handover: str = ""
    vouched_lsn: Lsn = 0
    drained_lsn: Lsn = 0
    ground: Ground | None = None
    receiving: bool = False
    replay_paused: bool = False
    began_lsn: Lsn = 0


class Relay(PeerMessage, tag="R", frozen=True):
    """The arbiter's answer to a beat: the other node's freshest beat and for how long its counter
    stood still.

    ``still_ms`` is measured by the arbiter and is for people; decisions use the counter on the
    reader's own clock. ``high_flush`` is the highest flush LSN reported for the record's current
    sync generation. ``nonce`` changes with every start of the arbiter's process. ``epoch`` is the
    record's (0: no record). ``doubt``: why the arbiter lets nobody claim or go alone ('': it does).
    """

    peer: NodeBeat | None
    still_ms: int
    high_flush: Lsn
    nonce: str
    epoch: Count
    doubt: str = ""


class ReadRecord(PeerMessage, tag="G", frozen=True):
    """Read the record, linearizably."""

    id: Count


class RecordIs(PeerMessage, tag="g", frozen=True):
    """The record (None: there is none) at the moment of the answer."""

    id: Count
    record: Record | None
    nonce: str


class Swap(PeerMessage, tag="y", frozen=True):
    """Compare-and-swap: store ``record`` if the stored epoch is ``expected`` (None: if there is no
    record yet).
    """

    id: Count
    expected: int | None
    record: Record


class SwapResult(PeerMessage, tag="c", frozen=True):
    """Stored durably (``done``), or refused; ``record`` is what is stored now."""

    id: Count
    done: bool
    record: Record | None
    nonce: str
    refusal: str = ""


class KeepLine(PeerMessage, tag="K", frozen=True):
    """A node leaves a sealed line with the arbiter, which keeps it and does not read it."""

    id: Count
    text: Annotated[str, Meta(max_length=1000)]


class LineKept(PeerMessage, tag="k", frozen=True):
    """Kept durably, or why not."""

    id: Count
    refusal: str = ""


class Chapter(PeerMessage, tag="C", frozen=True):
    """Node to node when a link comes up: the newest of its history, a JSON list of entries (see
    ``protocols.annals``), so that what one was not there to see it learns from the other.
    """

    entries: Annotated[str, Meta(max_length=MAX_CHAPTER_BYTES)]


class Ask(PeerMessage, tag="A", frozen=True):
    """An operator's verb (``status``, ``bootstrap``, …) with text arguments; the certificate must
    be of kind ops.
    """

    id: Count
    verb: Annotated[str, Meta(max_length=32)]
    arguments: dict[str, str] = field(default_factory=dict)


class Answer(PeerMessage, tag="a", frozen=True):
    """The verb's answer: ``data`` is JSON text for ``--json``; a refusal has a code and a
    sentence.
    """

    id: Count
    ok: bool
    data: str = "{}"
    code: str = ""
    sentence: str = ""


AnyPeerMessage = (
    PeerHello
    | NodeBeat
    | Relay
    | ReadRecord
    | RecordIs
    | Swap
    | SwapResult
    | KeepLine
    | LineKept
    | Chapter
    | Ask
    | Answer
)
