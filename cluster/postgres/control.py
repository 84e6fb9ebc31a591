"""The interface between a node and its own PostgreSQL, and the values that cross it.

Everything is a coroutine for the asyncio loop under the reactor (`protocols.shell.bridge` crosses
to Deferreds). Invariants: a commit that was begun is never cancelled, whatever happens to its
caller; the data folder is touched only from threads and child processes; settings and signal files
are written again before every start. It must not know epochs, arbiters or reasons: it does what the
table says.
"""

from collections.abc import Callable
from typing import Final, Literal, Protocol

import msgspec

from cluster.postgres.controldata import ControlData
from cluster.postgres.files import BLOCKING_NAMES, LiveSettings
from cluster.postgres.stock import Stock
from protocols.peer import Ground

__all__ = [
    "BLOCKING_NAMES",
    "Control",
    "ControlData",
    "LiveSettings",
    "PostmasterExit",
    "ProbeFacts",
    "Stock",
    "Walsender",
]

StopMode = Literal["fast", "immediate"]

PROBE_DEADLINE_S: Final = 1.0
STOP_DEADLINE_S: Final = 5.0
START_DEADLINE_S: Final = 60.0
PROMOTE_STUCK_S: Final = 10.0
SETTING_DEADLINE_S: Final = 3.0
CLONE_DEADLINE_S: Final = 6 * 3600.0


class Walsender(msgspec.Struct, frozen=True):
    """One standby as the primary sees it. `sync_state`: async, potential, sync or quorum; `address`
    of its client, '' over the socket; `replay_lsn` None until it has told it.
    """

    application_name: str
    state: str
    flush_lsn: int | None
    sync_state: str
    address: str = ""
    replay_lsn: int | None = None


class ProbeFacts(msgspec.Struct, frozen=True):
    """What one probe saw. `ok` is false when any of it failed; then `reason` says why, and
    `starved` that the whole machine is (`cluster.postgres.hunger`).

    Positions are bytes of WAL. On a primary `flush_lsn` is set; on a standby `receive_lsn` (what
    the walreceiver flushed) and `replay_lsn`. `timeline` of a standby is the newest it knows of.
    `postmaster_start` is microseconds since 1970 and only ever compared for equality. `names` is
    synchronous_standby_names as a new session sees it. `oldest_sync_wait_s`: how long the oldest
    commit has been seen waiting for replication by the probes of this node, on a monotonic clock; 0
    when none. `ground`: its settings, at most RENEW_EVERY_S old, of this very start; None unknown.
    `peer_hosts`: who may replicate from here.
    """

    ok: bool
    reason: str = ""
    in_recovery: bool = False
    system_id: int = 0
    timeline: int = 0
    flush_lsn: int | None = None
    receive_lsn: int | None = None
    replay_lsn: int | None = None
    postmaster_start: int = 0
    names: str = ""
    walsenders: tuple[Walsender, ...] = ()
    oldest_sync_wait_s: float = 0.0
    replay_paused: bool = False
    receiver_streaming: bool = False
    duration_s: float = 0.0
    starved: bool = False
    ground: Ground | None = None
    peer_hosts: tuple[str, ...] = ()

    @property
    def held_lsn(self) -> int:
        """The end of the WAL held here; after a restart receive alone is too low (fact F17)."""
        return max(self.flush_lsn or 0, self.receive_lsn or 0, self.replay_lsn or 0)


class PostmasterExit(msgspec.Struct, frozen=True):
    """The postmaster ended. `asked`: because `stop` was called; else it died and this is news."""

    pid: int
    status: int | None
    signal: int | None
    asked: bool


class Control(Protocol):
    """One node's PostgreSQL. Any method may raise PostgresTroubleError, in words for people."""

    exited: Callable[[PostmasterExit], None]
    """Called on the loop when a postmaster that was started ends; set it before `start`.

    One that ends while it starts is told by StartFailedError alone.
    """

    @property
    def running(self) -> bool:
        """True from the spawn of a postmaster until it was reaped."""

    async def prepare(self, password: str) -> tuple[str, ...]:
        """Finds programs and user, makes folders, writes the secrets; returns warnings for the log.

        `password` is the replication role's, the same on both nodes. First call of every life.
        """

    async def stop_stray(self) -> int:
        """Stops a PostgreSQL that an earlier life left on this data folder; how many processes."""

    async def initialised(self) -> bool:
        """True when there is a data folder."""

    async def live_settings(self) -> LiveSettings:
        """The names and upstream found on disk (I5: after a restart they are what still binds)."""

    async def initialise(self, password: str) -> None:
        """Makes a new cluster: database, replication role, schema `cluster`. Only for bootstrap."""

    async def clone(self, source_conninfo: str, slot: str | None, *, keep: bool = True) -> None:
        """Copies the other node into a new folder and puts it in place.

        `keep`: the folder before it is kept until `drop_old`; if one is kept already, that one
        stays and the present, unproven one goes. Else all goes first, to make room.
        """

    async def take_stock(self, timeline: int, left_at: int) -> Stock:
        """What the WAL here holds beyond `left_at` of `timeline` (0: is not counted), and whether a
        second copy fits. The server does not run.
        """

    async def rewind(self, source_conninfo: str, timeline: int, left_at: int) -> None:
        """Makes this folder a prefix of the source's `timeline`, which left ours at `left_at`.

        CommandFailedError when it fails *or cannot be shown right*: the folder is then torn and
        only a clone helps. Armed afterwards: blocking names, standby.signal.
        """

    async def drop_old(self) -> None:
        """Removes the folder that a clone kept."""

    async def kept_old(self) -> bool:
        """True while a folder that a clone kept is there."""

    async def start(
        self,
        as_standby: bool,  # noqa: FBT001 - the one question a start has to answer (I6)
        names: str | None,
        conninfo: str | None = None,
        slot: str | None = None,
        deadline_s: float = START_DEADLINE_S,
    ) -> None:
        """Starts the postmaster as a child and returns when it accepts the daemon.

        `names` None keeps those found on disk; `conninfo` None follows nobody. A primary lets
        nobody follow or copy it before `admit`. A start that fails leaves no process behind.
        """

    async def began_lsn(self, *, clean: bool, deadline_s: float = SETTING_DEADLINE_S) -> int:
        """Just after a primary's start, before anything is written to it: where the WAL ended that
        it found, in bytes. ``clean``: it had been stopped in order.
        """

    async def admit(self) -> None:
        """The other node may replicate from here; its walreceiver finds that out by itself."""

    async def stop(self, mode: StopMode = "fast", deadline_s: float = STOP_DEADLINE_S) -> None:
        """Stops it: `mode`, at the deadline immediate, 2 s later SIGKILL; returns when reaped.

        Whatever else runs on the data folder is killed too, and standby.signal is put there (I6).
        """

    async def promote(self, stuck_s: float = PROMOTE_STUCK_S) -> int:
        """Promotes and waits until out of recovery; returns the new timeline.

        PromotionStuckError when replay makes no progress for `stuck_s`; the request stays in force.
        """

    async def switch_lsn(self, timeline: int) -> int:
        """Where `timeline` left its parent, in bytes: the last line of its history file."""

    async def set_names(self, text: str) -> None:
        """Writes synchronous_standby_names durably, reloads, returns when a new session shows it.

        Commits may still slip for milliseconds after (fact F4): only `hang_probe` proves the gate.
        """

    async def set_upstream(
        self, conninfo: str, slot: str | None, application_name: str | None = None
    ) -> None:
        """Points the walreceiver elsewhere, or gives it another name; empty conninfo: nowhere."""

    def conninfo(self, address: str, port: int, application_name: str) -> str:
        """How this node reaches another's PostgreSQL for replication and cloning."""

    async def probe(self, deadline_s: float = PROBE_DEADLINE_S) -> ProbeFacts:
        """A small local write on a primary, only reads on a standby, and once a second a knock at
        the postmaster. Never raises.
        """

    async def hang_probe(self, deadline_s: float) -> int | None:
        """Commits small writes until one is *seen* waiting for replication.

        Then returns the flush position, read after it was seen: the barrier of the sync entry. None
        when none hung in time. The waiting commit goes on until it is released.
        """

    async def barrier(self, deadline_s: float) -> int:
        """A small written commit under the names in force; its position once it is acknowledged.

        DeadlinePassedError: still waiting, not cancelled. CommitUncertainError: fact F1.
        """

    async def write_fence(self, term: int, deadline_s: float) -> None:
        """Writes the term into the database; only after names = '' (else it may wait for ever)."""

    async def read_fence(self, deadline_s: float) -> int:
        """The term the database carries."""

    async def checkpoint(self, deadline_s: float) -> None:
        """CHECKPOINT: the control file then shows the timeline (fact F5)."""

    async def create_slot(self, name: str, deadline_s: float = SETTING_DEADLINE_S) -> None:
        """A physical slot that reserves WAL at once; one that exists is left as it is."""

    async def drop_slot(self, name: str, deadline_s: float = SETTING_DEADLINE_S) -> None:
        """Drops a slot; one that is not there is no trouble."""

    async def drop_walsenders(
        self, addresses: tuple[str, ...], deadline_s: float = SETTING_DEADLINE_S
    ) -> None:
        """Ends the walsenders of these client addresses: their way is dead, their slot is free."""

    async def controldata(self) -> ControlData:
        """What the control file says; meaningful while the server is down."""
