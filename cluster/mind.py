"""Everything a node's machine knows, as one frozen value, and the questions the rules put to it.

Knowledge comes in by events (``cluster.learning``); rules read it and change the state. Three
things are kept apart, because lost payments hide between them: what the arbiter is *known* to hold
(``record``), what may still land there (``swap`` in flight, ``doubts`` whose answer was lost), and
what PostgreSQL was *ordered* and has not yet answered (``doing``). Nothing here decides anything.
"""

from __future__ import annotations

from msgspec import Struct

from cluster import record as records
from cluster.events import DiskSeen, Facts, Walsender
from cluster.heartbeat import Hearing, link_silence_s, still_s
from cluster.intents import Entry, Pending, Switch
from cluster.plan import due
from cluster.reach import Reach
from cluster.states import State
from cluster.timers import Timers
from protocols.peer import NodeBeat, Record

NEVER = float("-inf")
FOLLOWERS = frozenset({State.STANDBY_CATCHUP, State.STANDBY_SYNC})


class Disk(Struct, frozen=True):
    """What this node holds on disk, as found at the start and changed by what was done since.

    ``clean_end_lsn``: the end of a cleanly stopped primary's WAL, -1 unless that is certain.
    ``diverged``: this copy was seen out of recovery without a claim, or is torn by a replacement
    that did not end; it is never started. ``fits``: a second copy fits beside it (None: stock was
    not taken). ``unproven``: started as primary, and not yet shown to go on the standby's history.
    ``kept_old``: the copy from before the last clone is still there. ``short_lsn``: where this one
    ended when, alone, it was seen to lack what was acknowledged. ``record``: the kept epoch's.
    """

    has_data: bool = False
    was_primary: bool = False
    clean_end_lsn: int = -1
    system_id: str = ""
    tli: int = 0
    names: str = ""
    token: int = 0
    claim: str = ""
    rejoining: bool = False
    diverged: bool = False
    unproven: bool = False
    fits: bool | None = None
    kept_old: bool = False
    short_lsn: int = 0
    epoch: int = 0
    incarnation: int = 0
    record: Record | None = None


class Mind(Struct, frozen=True):
    """One node's knowledge. Times are monotonic seconds (``NEVER`` for never).

    ``slept_s``: how long the loop stood still before this event, 0 for a healthy beat of time.
    ``fresh``: the record was read since READING began; ``read_floor``: what was known when the
    read was ordered; ``read_is_old``: it was ordered before READING began.
    ``arbiter_alarm`` and ``arbiter_why``: what is wrong with an arbiter that does not answer;
    ``doubt``: why it, answering, lets nobody claim or go alone; ``undoubted_at_s``: until when it
    did.
    ``settled``: no compare-and-swap of an earlier process of this node can still land. ``bumped``:
    one of ours was confirmed since READING began. ``passed``: the restart barrier was passed since
    this postmaster's start. ``barrier_lsn``: its flush LSN just after the start (-1 unknown).
    """

    me: str
    peer: str
    cluster_id: str
    boot: str
    timers: Timers = Timers()
    state: State = State.INIT
    since_s: float = 0.0
    now_s: float = 0.0
    slept_s: float = 0.0
    wall_s: float = 0.0
    """The time of day, 0 unknown: for planned switchovers and the count of takeovers only."""
    reason: str = ""
    alarms: tuple[str, ...] = ()
    # the arbiter
    record: Record | None = None
    fresh: bool = False
    reading: bool = False
    read_floor: tuple[int, int] = (0, 0)
    sought_epoch: int = 0
    read_is_old: bool = False
    read_at_s: float = NEVER
    arbiter_at_s: float = NEVER
    nonce: str = ""
    arbiter_alarm: str = ""
    arbiter_why: str = ""
    doubt: str = ""
    undoubted_at_s: float = NEVER
    rolled_back: bool = False
    swap: Record | None = None
    swap_at_s: float = NEVER
    doubts: tuple[Record, ...] = ()
    settled: bool = False
    bumped: bool = False
    seen_epoch: int = 0
    kept: tuple[int, int] = (0, 0)
    """Incarnation and epoch that are certainly on this node's disk."""
    unkept: str = ""
    """Why the record could not be written there, until it could."""
    keep_again_s: float = NEVER
    """When that is tried again."""
    # the peer
    hearing: Hearing = Hearing()
    # the disk and PostgreSQL
    disk: Disk = Disk()
    disk_seen: DiskSeen = DiskSeen("")
    offered_at_s: float = NEVER
    """When this node last offered its place because of its disk."""
    up: bool = False
    doing: tuple[str, ...] = ()
    facts: Facts | None = None
    facts_at_s: float = NEVER
    flushed_at_s: float = NEVER
    """When it was last heard that more was flushed here."""
    probed_at_s: float = NEVER
    moved_at_s: float = NEVER
    """When a probe last saw more WAL come than probes themselves write."""
    starved: bool = False
    """The last probe had no answer because the whole machine starves."""
    unanswered: bool = False
    """The last probe had none, whatever the reason."""
    stood_s: float = 0.0
    """How long this loop stood still since the last good probe: not PostgreSQL's silence."""
    up_at_s: float = NEVER
    streamed_at_s: float = NEVER
    vouched: tuple[int, int] = (0, 0)
    """Generation, and the highest flush seen of it."""
    whole_term: int = 0
    """The last term for which this copy is known to hold all that its primary wrote."""
    began_lsn: int = -1
    """Where the WAL of a copy started as primary ended, until that was shown to be far enough."""
    life_began_lsn: int = 0
    """The same for as long as that server runs, 0 otherwise."""
    reach: Reach = Reach()
    barrier_lsn: int = -1
    rearm: bool = False
    passed: bool = False
    owed_lsn: int = 0
    """What the standby must have flushed before it is brought in sync again."""
    names: str = ""
    fence: int = 0
    failures: int = 0
    retry_at_s: float = NEVER
    trouble: tuple[str, str] = ("", "")
    """The order that last failed and has not been done since, and why."""
    promoted_tli: int = 0
    switch_lsn: int = 0
    # intents
    entry: Entry | None = None
    last_generation: int = 0
    entry_failures: int = 0
    entry_after_s: float = NEVER
    asked: Pending | None = None
    switch: Switch | None = None
    called_off: str = ""
    """Why the last switchover was not carried out, for people, until ``called_off_at_s`` is old."""
    called_off_at_s: float = NEVER
    served_at_s: float = NEVER
    """When this node was last open for terminals, to a tick."""
    handover: str = ""
    yield_until_s: float = NEVER
    leaving: str = ""

    # ---- the record

    @property
    def named(self) -> bool:
        """The record names this node as primary."""
        return self.record is not None and self.record.primary == self.me

    @property
    def fenced(self) -> bool:
        """The record names another node."""
        return self.record is not None and self.record.primary != self.me

    def in_maintenance(self, node: str) -> bool:
        """People work on that node: it takes nothing over, and is not missed."""
        return self.record is not None and self.record.maintenance == node

    @property
    def sync_possible(self) -> bool:
        """The record has, or may come to have, a sync standby."""
        certain = self.record is not None and self.record.sync != ""
        landing = self.swap is not None and self.swap.sync != ""
        return certain or landing or any(doubt.sync for doubt in self.doubts)

    @property
    def alone_for_sure(self) -> bool:
        """The record names this node, and neither has nor can come to have a sync standby."""
        return self.named and self.settled and not self.sync_possible

    @property
    def may_serve_alone(self) -> bool:
        """By a record that it will remember: else a crash now, and an arbiter that is set back, and
        nobody knows that the standby is behind.
        """
        return self.alone_for_sure and self.keeps

    @property
    def switch_due(self) -> bool:
        """The record asks for a switchover, and its time has come."""
        return due(self.record, self.wall_s)

    @property
    def keeps(self) -> bool:
        """The record it knows is on its disk: what it asks for now it will remember to have known.

        After a crash a node that had forgotten would take an arbiter that was set back for true.
        """
        record = self.record
        return record is None or self.kept >= (record.incarnation, record.epoch)

    @property
    def may_swap(self) -> bool:
        """No compare-and-swap is in flight, the last one ended long enough ago, and what is known
        is on the disk.
        """
        rested = self.now_s - self.swap_at_s >= self.timers.retry_s
        return self.swap is None and rested and self.keeps

    # ---- the peer

    @property
    def beat(self) -> NodeBeat | None:
        """The peer's newest beat, from the record's incarnation."""
        beat = self.hearing.beat
        if beat is None or self.record is None or beat.incarnation != self.record.incarnation:
            return None
        return beat

    @property
    def peer_linked(self) -> bool:
        """A beat came on a link lately."""
        return self.now_s - self.hearing.peer_at_s < self.timers.suspect_s

    @property
    def arbiter_heard(self) -> bool:
        """The arbiter answered lately."""
        return self.now_s - self.arbiter_at_s < self.timers.suspect_s

    def peer_silent(self, for_s: float) -> bool:
        """Silent on every link, and its counter at the arbiter stood still, for that long."""
        return link_silence_s(self.hearing, self.now_s) >= for_s and still_s(self.hearing) >= for_s

    @property
    def gap_ms(self) -> int:
        """For how long nobody has been known to serve, neither this node nor the peer; -1 if that
        is not known.
        """
        last_s = max(self.served_at_s, self.hearing.served_at_s)
        return -1 if last_s == NEVER else max(0, round((self.now_s - last_s) * 1000))

    @property
    def peer_streams(self) -> bool:
        """A fresh probe saw the peer take our WAL."""
        rows = self.facts.walsenders if self.facts_fresh and self.facts is not None else ()
        ours = f"{self.peer}_"  # a backup that streams says nothing of the peer
        return any(
            one.state == "streaming" and one.application_name.startswith(ours) for one in rows
        )

    @property
    def unheard_s(self) -> float:
        """For how long neither the arbiter nor a peer that hears us was heard, for one that does
        not may be taking over; a streaming walsender is a peer.
        """
        if self.peer_streams:
            return 0.0
        # A stall of ours is no excuse here: whoever took over meanwhile did not wait for it either.
        return self.now_s - max(self.arbiter_at_s, self.hearing.both_at_s)

    # ---- PostgreSQL

    @property
    def idle(self) -> bool:
        """Everything ordered of PostgreSQL was answered."""
        return not self.doing

    @property
    def may_retry(self) -> bool:
        """Nothing is being done, and the last failure lies far enough back."""
        return not self.doing and self.now_s >= self.retry_at_s

    @property
    def patience_s(self) -> float:
        """How long PostgreSQL may answer no probe: longer alone, or on a machine that starves."""
        timers = self.timers
        if self.starved and not self.disk_seen.dead:
            return timers.starved_s
        alone = self.alone_for_sure
        # While no probe has failed it is this process that is late.
        return (timers.hung_alone_s if alone else timers.hung_s) * (1 if self.unanswered else 2)

    @property
    def paused(self) -> bool:
        """An operator, or the cap on takeovers, wants nothing done by itself."""
        return self.record is not None and self.record.paused

    @property
    def held_down(self) -> bool:
        """Paused, so PostgreSQL stays down until people resume. Only the daemon's own start starts
        it then, and an abandoned switchover what it had stopped: what stops by itself stays for
        people to see.
        """
        abandoned = self.called_off != "" and self.called_off_at_s > self.up_at_s
        return self.paused and self.up_at_s != NEVER and not abandoned

    @property
    def may_start(self) -> bool:
        """PostgreSQL may be started, now."""
        return self.may_retry and not self.held_down

    @property
    def touched(self) -> bool:
        """PostgreSQL runs, or something ordered may be making it run."""
        return self.up or any(
            name in {"StartPrimary", "StartStandby", "Promote"} for name in self.doing
        )

    @property
    def facts_fresh(self) -> bool:
        """The last good probe is recent enough to prove something."""
        return self.facts is not None and self.now_s - self.facts_at_s <= self.timers.fresh_s

    @property
    def held_lsn(self) -> int:
        """The end of the WAL held here: receive alone is too low after a restart (fact F17)."""
        facts = self.facts
        return max(facts.receive_lsn, facts.replay_lsn, facts.flush_lsn) if facts else 0

    @property
    def holds_enough(self) -> bool:
        """This copy reaches what the record, the arbiter and the standby know to have been flushed;
        what it wrote since it was started as primary does not make up for what it lacks.
        """
        if self.record is None or self.facts is None:
            return False
        if self.began_lsn < 0:
            return self.held_lsn >= self.flushed_lsn
        return self.began_lsn >= max(self.flushed_lsn, self._followed_lsn)

    @property
    def flushed_lsn(self) -> int:
        """How far the record and the arbiter know WAL to have been flushed here."""
        least = self.record.min_lsn if self.record is not None else 0
        return max(least, self.hearing.high_flush)

    @property
    def _followed_lsn(self) -> int:
        """How far a standby had followed this primary before its start, in sync or not yet."""
        beat, facts = self.beat, self.facts
        if beat is None or facts is None or beat.state not in FOLLOWERS:
            return 0
        same = (beat.system_id, beat.tli) == (self.disk.system_id, facts.tli)
        return beat.receive_lsn if same else 0

    def walsender(self, name: str) -> Walsender | None:
        """The row of pg_stat_replication that streams under this application name.

        None if there are two: one of them is not the peer's, and nobody can tell which.
        """
        if self.facts is None:
            return None
        found = [
            one
            for one in self.facts.walsenders
            if one.application_name == name and one.state == "streaming"
        ]
        return found[0] if len(found) == 1 else None

    @property
    def sync_row(self) -> Walsender | None:
        """The walsender of the record's present generation."""
        if self.record is None or not self.record.sync:
            return None
        return self.walsender(records.sync_name(self.record.sync, self.record.sync_gen))

    @property
    def fits_sync(self) -> bool:
        """The record names this node as sync in the generation whose token it holds."""
        record = self.record
        return (
            record is not None
            and record.sync == self.me
            and record.sync_gen == self.disk.token
            and record.primary == self.peer
        )
