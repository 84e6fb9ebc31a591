"""Everything that can happen to a node, as values. The shell makes them; the machine only reads
them.

An event says what was observed, never what to do. Time is not in it: ``step(mind, event, now_s)``
gets the monotonic time beside it. Results of actions come back as events of their own; an action
that fails comes back as ActionFailed.
"""

from __future__ import annotations

from msgspec import Struct

from protocols.peer import Ground, NodeBeat, Record


class Event(Struct, frozen=True):
    """The base of all events."""


class Walsender(Struct, frozen=True):
    """One row of pg_stat_replication: application name, state (streaming, catchup, backup…), flush
    LSN (0 unknown), the client's address ('' the socket), the LSN replayed there (0 unknown).
    """

    application_name: str
    state: str
    flush_lsn: int
    address: str = ""
    replay_lsn: int = 0


class Facts(Struct, frozen=True):
    """What a PostgreSQL probe saw. LSNs in bytes, 0 unknown; waits in seconds; ``postmaster_start``
    in microseconds. ``ground``: its settings, None not known; ``peer_hosts``: where the peer may
    stream from (empty: anywhere).
    """

    in_recovery: bool
    system_id: str
    tli: int
    flush_lsn: int
    receive_lsn: int
    replay_lsn: int
    postmaster_start: int
    names: str
    walsenders: tuple[Walsender, ...] = ()
    oldest_sync_wait_s: float = 0.0
    replay_paused: bool = False
    receiver_streaming: bool = False
    ground: Ground | None = None
    peer_hosts: tuple[str, ...] = ()


class Holdings(Struct, frozen=True):
    """What the node found on its disk at the start: highest epoch and incarnation seen, token,
    claim, cluster folder.

    ``has_data`` a PGDATA is there; ``was_primary`` pg_control says in production or shut down, not
    in recovery (standby.signal may have been laid there for safety); ``names`` as in
    postgresql.auto.conf; ``claim`` the op_id persisted before a promotion; ``rejoining`` the marker
    that forbids a reclaim (laid when a clone begins, removed with the next KeepToken); ``torn`` the
    data folder was being rewound or replaced in place; ``unproven`` the last start as primary was
    not proven to go on the standby's history; ``kept_old`` the copy from before the last
    clone is still there.
    """

    has_data: bool
    was_primary: bool
    clean_shutdown: bool
    system_id: str
    tli: int
    end_lsn: int
    names: str
    epoch: int
    incarnation: int
    token: int
    claim: str
    rejoining: bool
    torn: bool = False
    unproven: bool = False
    kept_old: bool = False
    record: Record | None = None


class Booted(Event, frozen=True):
    """The lock is taken, a stray postmaster of this PGDATA was stopped, the disk is read."""

    holdings: Holdings


class Tick(Event, frozen=True):
    """The monotonic timer, every 50 ms while the loop runs. ``gap_s`` is how late it came: a stall
    of this process. ``wall_s`` is the wall clock's Unix time (0 unknown): only a switchover that
    was planned for a time of day looks at it.
    """

    gap_s: float = 0.0
    wall_s: float = 0.0


class BeatHeard(Event, frozen=True):
    """A beat of the peer arrived on a link."""

    link: int
    beat: NodeBeat


class RelayHeard(Event, frozen=True):
    """The arbiter answered our beat. ``asked_at_s`` is our monotonic time when we asked: an old
    answer is not news. ``doubt``: why it lets nobody claim or go alone, or ''.
    """

    peer: NodeBeat | None
    high_flush: int
    nonce: str
    epoch: int
    asked_at_s: float
    doubt: str = ""


class ArbiterLost(Event, frozen=True):
    """The connection to the arbiter is gone or its answers are overdue. ``alarm``: the runbook's
    name where it is more than silence; ``why`` for people.
    """

    alarm: str = "no-arbiter"
    why: str = ""


class RecordRead(Event, frozen=True):
    """A linearizable read answered. None: there is no record."""

    record: Record | None
    nonce: str


class ReadFailed(Event, frozen=True):
    """The read was not answered; nothing is known."""


class SwapConfirmed(Event, frozen=True):
    """Our compare-and-swap is stored durably."""

    op_id: str
    record: Record


class SwapRefused(Event, frozen=True):
    """Our compare-and-swap certainly did not happen; ``record`` is what is stored."""

    op_id: str
    record: Record | None


class SwapAmbiguous(Event, frozen=True):
    """It was sent and not answered: it may have happened, or may still happen. A read does not
    settle it.
    """

    op_id: str


class SwapFailed(Event, frozen=True):
    """Our compare-and-swap certainly never left (no connection): not done, nothing new is known."""

    op_id: str


class Probed(Event, frozen=True):
    """A PostgreSQL probe succeeded."""

    facts: Facts


class ProbeFailed(Event, frozen=True):
    """A PostgreSQL probe failed or ran into its deadline. ``starved``: the whole machine waits for
    its processors or disks, and nothing of this PostgreSQL was seen to stand still.
    """

    reason: str
    starved: bool = False


class DiskSeen(Event, frozen=True):
    """A look at the data folder's disk. ``condition``: '' well, low, slow, full, read-only, failing
    (it refuses writes), hung (it does not answer); ``why`` for people; free space in MiB, -1
    unknown; ``released``: the ballast was given up now.
    """

    condition: str
    free_mb: int = -1
    why: str = ""
    released: bool = False

    @property
    def dead(self) -> bool:
        """No write would come to an end on it."""
        return self.condition in {"read-only", "failing", "hung"}

    @property
    def bad(self) -> bool:
        """It takes no writes: starts, claims and copies would only fail on it; a full one may still
        be emptied by a clone.
        """
        return self.dead or self.condition == "full"


class PostgresStarted(Event, frozen=True):
    """The postmaster accepts connections. ``began_lsn``: of a primary, where the WAL ended that it
    found; what recovery wrote after it does not count.
    """

    as_standby: bool
    began_lsn: int = 0


class StandbyAdmitted(Event, frozen=True):
    """The other node may replicate from here."""


class PostgresExited(Event, frozen=True):
    """The postmaster is gone and reaped, whether asked (``asked``) or not.

    ``clean_end_lsn``: where the WAL of a primary that was stopped in order ends, its shutdown
    checkpoint included; -1 unless that is certain.
    """

    status: int
    asked: bool
    clean_end_lsn: int = -1


class Promoted(Event, frozen=True):
    """pg_promote ended: the server is out of recovery."""

    tli: int
    switch_lsn: int


class NamesSet(Event, frozen=True):
    """synchronous_standby_names is on disk, fsynced, reloaded and confirmed."""

    names: str


class WaitSeen(Event, frozen=True):
    """The hanging probe was seen waiting for replication; ``barrier_lsn`` is the flush LSN read
    after that.
    """

    generation: int
    barrier_lsn: int


class FenceWritten(Event, frozen=True):
    """The fence row carries this term."""

    term: int


class EpochKept(Event, frozen=True):
    """The highest epoch and incarnation are fsynced."""

    epoch: int
    incarnation: int


class TokenKept(Event, frozen=True):
    """The sync token is fsynced and the walreceiver was told its new name."""

    generation: int


class ClaimKept(Event, frozen=True):
    """The op_id of the claim is fsynced; promoting may begin."""

    op_id: str


class StockTaken(Event, frozen=True):
    """Before this copy is replaced: ``fits`` a second one fits beside it; ``said`` what it held
    beyond the switch, for people ('' nothing).
    """

    fits: bool
    said: str = ""


class Rewound(Event, frozen=True):
    """PGDATA was rewound onto the source's timeline and shown to be there; standby.signal lies."""

    system_id: str


class Cloned(Event, frozen=True):
    """A fresh copy of the primary stands in PGDATA, fsynced, standby.signal in place."""

    system_id: str


class Checkpointed(Event, frozen=True):
    """A checkpoint is complete: the one of a shutdown now has little left to write."""


class WorkFinished(Event, frozen=True):
    """What was being served when the gate was shut has its answer, or had time enough."""


class Initialised(Event, frozen=True):
    """A new, empty database cluster stands in PGDATA; its system identifier, and who asked."""

    system_id: str
    who: str = ""


class Leaving(Event, frozen=True):
    """This daemon is asked to stop (SIGTERM); the machine answers with Quit when it may end."""

    reason: str


class ActionFailed(Event, frozen=True):
    """An action did not succeed: its class name and the reason."""

    action: str
    reason: str


class Asked(Event, frozen=True):
    """An operator's verb that changes the cluster (pause, resume, handover, …), with its
    arguments.
    """

    verb: str
    arguments: tuple[tuple[str, str], ...] = ()
