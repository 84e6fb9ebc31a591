"""PostgreSQL as far as the cluster can see it, with the leaks it really has.

Commits wait for the standby whose name is in force, and names come into force only when the
checkpointer publishes them (F4); a cancelled wait returns with a warning and shows the row (F1); a
restart shows whatever was waiting (F2, F3); a role that set synchronous_commit off waits for nobody
and for no disk (F8). A power cut loses what was not flushed, keeps some of what was being written,
and on a disk that lies loses more. The server outlives its daemon (F18).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from cluster.events import Facts
from cluster.postgres.memory_folder import GROUND
from cluster.record import NOBODY_NAMES
from protocols.peer import TimelineStep
from tests.simulation.network import Network
from tests.simulation.streaming import Streaming
from tests.simulation.wal import SEGMENT, Commit, Entry
from tests.simulation.world import World

WAL_WRITER_S: Final = 0.4
"""How late an asynchronous commit reaches the disk at most (three turns of the WAL writer)."""


class Postgres(Streaming):
    """One data folder and, while it runs, its server."""

    def __init__(self, world: World, network: Network, name: str) -> None:
        super().__init__()
        self.world = world
        self.network = network
        self.name = name
        self.peer: Postgres
        # the folder
        self.has_data = False
        self.wal: list[Entry] = []
        self.tli = 0
        self.system_id = ""
        self.production = False
        self.clean = False
        self.names = ""
        self.steps: tuple[TimelineStep, ...] = ()
        # its disk
        self.slow_s = 0.0
        self.full = False
        self.filling = False
        """A look at the disk finds it full; what is written fits, by the ballast it gave up."""
        self.read_only = False
        self.disk_hung_until_s = 0.0
        self.starved_until_s = 0.0
        self.hung_at_s = float("-inf")
        """When it last stood still."""
        self.honest_lsn: int | None = None
        """Where the disk began to lie about its flushes; None: it does not."""
        self.exited: Callable[[], None] = lambda: None
        self.released: Callable[[Commit], None] = lambda commit: None
        self.renamed: Callable[[], None] = lambda: None
        self.began: Callable[[bool], None] = lambda standby: None
        self._idle()

    def _idle(self) -> None:
        """The server, before its first start."""
        self.up = False
        self.life = 0
        self.hung = self.shutting = False
        self.beneath = False
        """Down, and its daemon does not know: somebody restarts it."""
        self.in_recovery = False
        self.started_us = 0
        self.in_force = ""
        self.names_awaited = ""
        self.stalled_until_s = 0.0
        self.replay_paused = False
        self.replay_from = 0
        self.replays_until_s = 0.0
        self.async_until_s = 0.0
        self.unflushed_from: int | None = None
        self.writing: list[Commit] = []
        self.waiting: list[Commit] = []
        self.visible: dict[bytes, tuple[str, int, int]] = {}
        self.keys: set[bytes] = set()
        self.leaked: set[int] = set()
        self.exposed: set[int] = set()
        """What waited when the server ended (F2): shown by the next start, behind a shut gate."""
        self.fence = 0
        self.admits = False

    # ---- starting and stopping

    def start(self, *, standby: bool) -> None:
        """The postmaster accepts connections."""
        self.life += 1
        self.up, self.hung, self.clean = True, False, False
        self.beneath = self.shutting = False
        self.in_recovery = standby
        self.started_us = int(self.world.now * 1e6) + self.life
        self._force(self.names)
        self.writing, self.waiting, self.senders = [], [], []
        self.leaked.clear()
        self.streaming = self.received = self.replay_paused = False
        self.production = not standby
        self.admits = standby
        self.began(standby)
        self._show_all()
        if standby:
            self.replay_from = max(0, len(self.wal) - self.world.rng.randrange(40))
            self.replays_until_s = self.world.now + self.world.between(0.0, 0.6)
        else:
            self.wal.append(Entry("start", self.tli))
        self.world.after(0.001, self.receive, self.life)
        self.world.after(0.5, self.watch, self.life)

    def _show_all(self) -> None:
        self.visible = {
            entry.key: (entry.body, entry.number, at + 1)
            for at, entry in enumerate(self.wal)
            if entry.kind == "pay"
        }
        self.keys = {entry.key for entry in self.wal if entry.kind == "key"}
        fences = [entry.number for entry in self.wal if entry.kind == "fence"]
        self.fence = fences[-1] if fences else 0

    def stop(self, *, clean: bool = False) -> None:
        """The postmaster is gone; whoever was connected learns it if the line is good."""
        if self.beneath:  # whoever was restarting it finds standby.signal, or no power
            self.life, self.beneath = self.life + 1, False
        if not self.up:
            return
        self.life += 1
        self.up = self.streaming = False
        self.clean = clean
        self.exposed |= {one.lsn for one in self.waiting}
        self.waiting, self.senders = [], []
        self.network.send((self.name, self.peer.name, 0), self.peer.peer_gone, sure=True)

    def shut(self) -> bool:
        """A fast stop goes on: no commit any more, the last entry, and who streams has it."""
        self.waiting, self.shutting = [], not self.in_recovery
        if self.shutting and self.wal[-1].kind != "shutdown":
            self.unflushed_from = None
            self.wal.append(Entry("shutdown", self.tli))
            self.push()
        return all(one.flush_lsn >= len(self.wal) for one in self.senders)

    def die(self) -> None:
        """Killed: the parent reaps it."""
        if self.up:
            self.stop()
            self.exited()

    def restart_beneath(self) -> None:
        """Somebody restarts the server and the daemon sees no exit, only another start time."""
        standby, admits, life = self.in_recovery, self.admits, self.life + 1
        self.stop()
        self.beneath = True

        def again() -> None:
            if self.life == life and not self.up:
                self.start(standby=standby)
                self.admits = admits  # by the file it finds

        self.world.after(self.world.between(0.05, 0.3), again)

    def lose_power(self) -> None:
        """The machine went dark: of what was being written some is on the disk, unreported."""
        self.stop()
        writing, self.writing = self.writing, []
        if self.unflushed_from is not None:
            self.wal = self.wal[: self.unflushed_from]
            self.unflushed_from = None
        if writing and not self.in_recovery and not self.full:
            landed = writing[: self.world.rng.randrange(len(writing) + 1)]
            self.wal.extend(one.entry for one in landed if not one.lsn)
            self.world.hit["WAL tail torn"] += 1

    def set_back(self, lsn: int) -> None:
        """The folder holds no more than that: a lying disk, an older copy."""
        assert not self.up
        self.wal = self.wal[:lsn]
        self.honest_lsn = None
        self.exposed.clear()

    def ran_full(self) -> None:
        """No room for WAL: the server panics, and does not start again before there is."""
        self.world.hit["server died of a full disk"] += 1
        self.die()

    # ---- commits

    def commit(self, entry: Entry, done: Callable[[bool], None]) -> None:
        """COMMIT: local flush, then wait for whom the names in force ask."""
        if not self.up or self.in_recovery or self.shutting:
            return
        hasty = entry.kind == "pay" and self.world.now < self.async_until_s
        commit = Commit(entry, self.world.now, done, hasty=hasty)
        delay_s = 0.0002 + (self.slow_s * self.world.rng.random() if self.slow_s else 0.0)
        if hasty:
            self._hurry(commit)
            return
        self.writing.append(commit)
        self.world.after(delay_s, self._flushed, self.life, commit)

    def _hurry(self, commit: Commit) -> None:
        """Asynchronous: shown and returned at once; on disk some time later, or never (F8)."""
        if self.unflushed_from is None:
            self.unflushed_from = len(self.wal)
        self.wal.append(commit.entry)
        commit.lsn = len(self.wal)
        self._release(commit, warned=False)
        self.world.after(self.world.between(0.05, WAL_WRITER_S), self._all_flushed, self.life)

    def _all_flushed(self, life: int) -> None:
        if life == self.life:
            self.unflushed_from = None
            self.push()

    def _flushed(self, life: int, commit: Commit) -> None:
        if life != self.life or not self.up or self.shutting:
            return
        if self.full:
            self.ran_full()
            return
        if commit in self.writing:
            self.writing.remove(commit)
        self.wal.append(commit.entry)
        commit.lsn = len(self.wal)
        self.unflushed_from = None  # a flush takes along all that stands before it
        if self.in_force == "":
            self._release(commit, warned=False)
        else:
            self.waiting.append(commit)
        self.push()

    def _release(self, commit: Commit, *, warned: bool) -> None:
        entry = commit.entry
        if entry.kind == "pay":
            self.visible[entry.key] = (entry.body, entry.number, commit.lsn)
        elif entry.kind == "key":
            self.keys.add(entry.key)
        elif entry.kind == "fence":
            self.fence = entry.number
        if warned:
            self.leaked.add(commit.lsn)
        else:
            self.released(commit)
        self.world.after(0.0001, self._returned, self.life, commit, warned)

    def _returned(self, life: int, commit: Commit, warned: bool) -> None:
        if life == self.life and self.hung:
            self.world.after(0.05, self._returned, life, commit, warned)
        elif life == self.life:
            commit.done(warned)

    @property
    def only_starved(self) -> bool:
        """No probe has been answered for a while, nothing stands still, the disk takes writes."""
        starved = self.world.now < self.starved_until_s and not self.read_only
        return starved and self.hung_at_s < self.world.now - 4.0

    def flushed_lsn(self) -> int:
        """Where the local disk's copy ends."""
        return len(self.wal) if self.unflushed_from is None else self.unflushed_from

    def cancel_wait(self) -> bool:
        """Somebody cancels a backend that waits for replication (F1)."""
        if not self.waiting or self.hung:
            return False
        self._release(self.waiting.pop(0), warned=True)
        return True

    def released_upto(self, flushed: int, ours: int) -> None:
        """Somebody of the name in force has flushed that far, the pair's standby to ``ours``."""
        while self.waiting and self.waiting[0].lsn <= flushed:
            commit = self.waiting.pop(0)
            if commit.lsn > ours:
                self.leaked.add(commit.lsn)
                self.world.hit["commit released by a foreign walreceiver"] += 1
            self._release(commit, warned=False)

    def status_of(self, xid: int) -> str:
        """pg_xact_status: an xid is a place in the log, and another history has used it again."""
        return "committed" if 0 < xid <= len(self.wal) else "unknown"

    # ---- the names

    def set_names(self, names: str) -> None:
        """On disk and reloaded; in force when the checkpointer says so."""
        self.names = names
        self.renamed()
        if not self.up:
            return
        delay_s = self.world.between(0.001, 0.006)
        if self.world.chance(0.05):
            self.world.hit["names published late"] += 1
            delay_s += self.world.between(0.02, 0.4)
        delay_s = max(delay_s, self.stalled_until_s - self.world.now)
        self.world.after(delay_s, self._publish, self.life, names)

    def _force(self, names: str) -> None:
        self.in_force = names
        self.names_awaited = "" if names in {"", NOBODY_NAMES} else names.split('"')[1]

    def _publish(self, life: int, names: str) -> None:
        if life != self.life or names != self.names:
            return
        self._force(names)
        if names == "":
            waiting, self.waiting = self.waiting, []
            for commit in waiting:
                self._release(commit, warned=False)
        else:
            self.wake()

    # ---- the operations of a daemon

    def promote(self, op_id: str) -> tuple[int, int]:
        """Out of recovery on a new timeline: (timeline, where it left the old one)."""
        if self.unreadable_from is not None:
            self.wal, self.unreadable_from = self.wal[: self.unreadable_from], None
        switch_lsn = len(self.wal)
        self.tli += 1
        self.steps = (*self.steps, TimelineStep(self.tli, switch_lsn, op_id))
        self.in_recovery = self.streaming = False
        self.production = True
        self.receiver_call += 1
        self.wal.append(Entry("promoted", self.tli, body=self.name))
        self._show_all()
        return self.tli, switch_lsn

    def copy_from(self, source: Postgres) -> None:
        """A base backup, complete."""
        self.has_data = True
        self.wal = list(source.wal)
        self.tli, self.steps, self.system_id = source.tli, source.steps, source.system_id
        self.production = self.clean = False
        self.names = NOBODY_NAMES
        self.honest_lsn = self.unreadable_from = None
        self.forked = source.forked = False
        self.exposed.clear()
        self.renamed()

    def rewind_to(self, source: Postgres, left_at: int) -> bool:
        """pg_rewind: from ``left_at`` on the source's pages and log; before it, what is here."""
        steps = [step for step in source.steps if step.tli > self.tli]
        if not steps or steps[0].switch_lsn != left_at:
            return False
        kept = self.wal[:left_at]
        self.copy_from(source)
        self.wal[: len(kept)] = kept
        return True

    def empty(self) -> None:
        """Somebody removed the data folder."""
        assert not self.up
        self.has_data = self.production = self.clean = False
        self.wal, self.tli, self.system_id, self.names, self.steps = [], 0, "", "", ()
        self.honest_lsn = self.unreadable_from = None

    def facts(self) -> Facts:
        """What a probe sees."""
        rows = tuple(one.row() for one in self.senders)
        oldest_s = self.world.now - self.waiting[0].since_s if self.waiting else 0.0
        recovery = self.in_recovery
        return Facts(
            in_recovery=recovery,
            system_id=self.system_id,
            tli=self.tli,
            flush_lsn=0 if recovery else self.flushed_lsn(),
            receive_lsn=self._receive_lsn() if recovery else 0,
            replay_lsn=self.replay_lsn() if recovery else 0,
            postmaster_start=self.started_us,
            names=self.names,
            walsenders=rows,
            oldest_sync_wait_s=oldest_s,
            replay_paused=self.replay_paused,
            receiver_streaming=self.streaming,
            ground=GROUND,
        )

    def _receive_lsn(self) -> int:
        """Where this start's walreceiver has got to; before it has, the segment's start (F17)."""
        held = len(self.wal)
        return held if self.received else held - held % SEGMENT

    def replay_lsn(self) -> int:
        """Local WAL is replayed bit by bit; what is received then at once, if it can be read."""
        if self.replay_paused:
            return self.replay_from
        late_s = self.replays_until_s - self.world.now
        end = len(self.wal) if self.unreadable_from is None else self.unreadable_from
        return self.replay_from if late_s > 0 else end

    def number_after(self, counter: str) -> int:
        """The next receipt number of a counter's series."""
        taken = [entry.number for entry in self.wal if entry.key[:2] == counter.encode()]
        return max(taken, default=0) + 1
