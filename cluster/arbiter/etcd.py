"""etcd as a node sees it: one record compared whole, beats relayed as small keys without leases.

Each beat is one transaction that leaves ours and reads everything, so there is no watch that a
compaction could break, and no second round trip to be told of a new record. Invariants: a swap is
sent once, and unanswered it is unknown; beats of one node go one after the other, the newest last;
an etcd that was set back is put in doubt (a new lineage, the witness's new nonce) before anything
is answered from it; another etcd than the one this node knows is not believed at all. What may be
stored is judged in ``register``; this file must not know.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import Callable
from typing import Any, Final

import msgspec
import structlog
from twisted.internet.interfaces import IReactorTime

from cluster.arbiter import ArbiterUnreachable, Reading, Swapped, keys
from cluster.arbiter import register as registers
from cluster.arbiter.floor import Floor, Seen
from cluster.arbiter.gateway import Gateway
from cluster.arbiter.keys import BEAT, KEPT, LINEAGE, RECORD, Found, KeptLine, Left, Lineage
from cluster.arbiter.register import Register
from protocols.peer import NodeBeat, Record, Relay

RANGE, TXN, COMPACT = "/v3/kv/range", "/v3/kv/txn", "/v3/kv/compaction"
TRIES: Final = 3
"""A beat that finds its key or the lineage changed is left again; more often is another's doing."""
KEEP_S: Final = 5.0
"""The floor goes to disk with every new record, and else this often."""
COMPACT_S: Final = 600.0
"""Ten beats a second are 6,000 revisions in ten minutes, some MB; nobody reads older ones."""


class EtcdArbiter:
    """Implements ``Arbiter`` on an etcd. ``me`` leaves beats; ``nonce`` names a new lineage."""

    def __init__(
        self,
        gateway: Gateway,
        open_floor: Callable[[], Floor],
        clock: IReactorTime,
        *,
        me: str,
        nodes: tuple[str, ...],
        prefix: str,
        compact: bool = True,
        nonce: Callable[[], str] = lambda: secrets.token_hex(8),
    ) -> None:
        self._gateway = gateway
        self._open_floor = open_floor
        self._floor: Floor | None = None
        self._clock = clock
        self._me = me
        self._nodes = nodes
        self._prefix = prefix
        self._compact = compact
        self._nonce = nonce
        self._log: Any = structlog.get_logger("etcd")
        self._found: Found | None = None
        self._beats: deque[tuple[NodeBeat, asyncio.Future[Relay]]] = deque()
        self._carrier: asyncio.Task[None] | None = None
        self._moved: tuple[str, int, float] = ("", -1, 0.0)
        self._keeping: asyncio.Task[None] | None = None
        self._kept_s = float("-inf")
        self._marks: deque[tuple[float, int]] = deque()
        self._forgetting: asyncio.Task[None] | None = None

    def close(self) -> None:
        """Ask no more."""
        self._gateway.close()

    async def read(self) -> Reading:
        """Read the record, linearizably."""
        found = await self._look()
        return Reading(found.record, _nonce_of(found))

    async def swap(self, expected: int | None, record: Record) -> Swapped:
        """Store ``record`` if the stored epoch is ``expected`` (None: if there is no record)."""
        found = await self._look()
        nonce = _nonce_of(found)
        refusal = registers.judge(keys.register_of(self._nodes, found), expected, record)
        if refusal:
            return Swapped(done=False, record=found.record, nonce=nonce, refusal=refusal)
        unchanged = {name: found.keys.get(name) for name in (RECORD, LINEAGE)}
        said = await self._gateway.once(TXN, keys.write(self._prefix, RECORD, record, unchanged))
        after = keys.found_in(said, self._prefix)
        if after.done:
            self._rise(after)
            return Swapped(done=True, record=record, nonce=nonce)
        late = f"epoch {expected} was expected, and another change came first"
        return Swapped(done=False, record=after.record, nonce=nonce, refusal=late)

    async def beat(self, beat: NodeBeat) -> Relay:
        """Leave this node's beat, and take the other's; of several that wait the newest goes."""
        outcome: asyncio.Future[Relay] = asyncio.get_running_loop().create_future()
        self._beats.append((beat, outcome))
        if self._carrier is None or self._carrier.done():
            self._carrier = asyncio.ensure_future(self._carry())
        return await outcome

    async def keep(self, text: str) -> str:
        """Put the line in the place of the last one; etcd's own history has those before it."""
        found = await self._look()
        unchanged = {LINEAGE: found.keys.get(LINEAGE)}
        body = keys.write(self._prefix, KEPT, KeptLine(text), unchanged)
        after = keys.found_in(await self._gateway.ask(TXN, body), self._prefix)
        return "" if after.done else "etcd was set back a moment ago"

    async def kept(self) -> list[str]:
        """The last line."""
        line = (await self._look()).line
        return [] if line is None else [line.text]

    def view(self) -> dict[str, Any]:
        """Its members, and which etcd at which revision this node knows."""
        seen = self._floor.seen if self._floor is not None else Seen()
        members = {one.address: one.trouble or "well" for one in self._gateway.members}
        cluster = f"{int(seen.cluster or 0):x}"
        nonce = _nonce_of(self._found) if self._found is not None else ""
        return {"etcd": cluster, "revision": seen.revision, "nonce": nonce, "members": members}

    async def adopt(self) -> None:
        """Take the etcd that answers now for ours, as if it had never been seen."""
        floor = await self._the_floor()
        floor.forget()
        self._found = None
        self._keep()

    # ------------------------------------------------------------------ beats

    async def _carry(self) -> None:
        while self._beats:
            together = tuple(self._beats)
            self._beats.clear()
            waiting = [outcome for _, outcome in together if not outcome.done()]
            try:
                relay = await self._leave(together[-1][0])
            except BaseException as wrong:  # noqa: BLE001 - whoever waits gets it
                for outcome in waiting:
                    outcome.set_exception(wrong)
            else:
                for outcome in waiting:
                    outcome.set_result(relay)

    async def _leave(self, beat: NodeBeat) -> Relay:
        found = self._found
        for _ in range(TRIES):
            if found is None or found.lineage is None:
                found = await self._look()
            register = self._register(found)
            before = found.left(self._me)
            if before is not None and not _is_news(before, beat):
                return self._relay(await self._look())
            left = keys.left_by(beat, _nonce_of(found), register)
            mine = BEAT + self._me
            unchanged = {name: found.keys.get(name) for name in (mine, LINEAGE)}
            body = keys.write(self._prefix, mine, left, unchanged)
            found = await self._checked(TXN, body)
            if found.done:
                self._tidy()
                return self._relay(found)
        raise ArbiterUnreachable("another process leaves beats in this node's name, or none lasts")

    def _register(self, found: Found) -> Register:
        return keys.register_of(self._nodes, found)

    def _relay(self, found: Found) -> Relay:
        now_s = self._clock.seconds()
        relay = registers.relay_for(self._register(found), self._me, now_s)
        peer = relay.peer
        if peer is None:
            return relay
        if self._moved[:2] != (peer.boot, peer.counter):
            self._moved = (peer.boot, peer.counter, now_s)
        return msgspec.structs.replace(relay, still_ms=int((now_s - self._moved[2]) * 1000))

    # ------------------------------------------------------------------ reading, and being sure

    async def _look(self) -> Found:
        found = await self._checked(RANGE, keys.everything(self._prefix))
        if found.lineage is None:
            found = await self._begin_lineage(found, doubted=False)
        return found

    async def _checked(self, path: str, body: Any) -> Found:
        """Ask, and believe the answer only if it is this etcd's, and not from before."""
        floor = await self._the_floor()
        asked_at = floor.seen
        said = await self._gateway.ask(path, body)
        found = keys.found_in(said, self._prefix)
        if asked_at.cluster and found.cluster != asked_at.cluster:
            raise _other_etcd(found, asked_at)
        fallen = floor.fallen(found, asked_at)
        if fallen:
            self._log.warning("etcd was set back", why=fallen, revision=found.revision)
            found = await self._begin_lineage(found, doubted=True)
            floor.begin_anew(found)
            self._found = None
        self._rise(found)
        return found

    async def _begin_lineage(self, found: Found, *, doubted: bool) -> Found:
        """A new name for this history; whoever comes second takes the first one's."""
        lineage = Lineage(self._nonce(), doubted=doubted)
        unchanged = {LINEAGE: found.keys.get(LINEAGE)}
        said = await self._gateway.ask(TXN, keys.write(self._prefix, LINEAGE, lineage, unchanged))
        return keys.found_in(said, self._prefix)

    async def _the_floor(self) -> Floor:
        if self._floor is None:
            floor = await asyncio.to_thread(self._open_floor)
            self._floor = self._floor or floor
        return self._floor

    def _rise(self, found: Found) -> None:
        assert self._floor is not None, "whoever looked has read the floor"
        before = self._floor.seen
        self._floor.rise(found)
        if self._found is None or found.revision >= self._found.revision:
            self._found = found
        moved = self._floor.seen.modified != before.modified
        if moved or self._clock.seconds() - self._kept_s > KEEP_S:
            self._keep()

    def _keep(self) -> None:
        if self._keeping is None or self._keeping.done():
            self._kept_s = self._clock.seconds()
            assert self._floor is not None, "whoever looked has read the floor"
            self._keeping = asyncio.ensure_future(asyncio.to_thread(self._floor.keep))

    # ------------------------------------------------------------------ its history

    def _tidy(self) -> None:
        """Have etcd forget what it held ten minutes ago: beats are written for the moment."""
        found, now_s = self._found, self._clock.seconds()
        if not self._compact or found is None:
            return
        if not self._marks or now_s - self._marks[-1][0] > COMPACT_S:
            self._marks.append((now_s, found.revision))
            if len(self._marks) > 1:
                _, revision = self._marks.popleft()
                self._forgetting = asyncio.ensure_future(self._forget(revision))

    async def _forget(self, revision: int) -> None:
        try:
            await self._gateway.ask(COMPACT, {"revision": str(revision)})
        except ArbiterUnreachable as wrong:
            self._log.info("etcd was not compacted", why=str(wrong))


def _nonce_of(found: Found) -> str:
    return found.lineage.nonce if found.lineage is not None else ""


def _is_news(before: Left, beat: NodeBeat) -> bool:
    return before.beat.boot != beat.boot or before.beat.counter < beat.counter


def _other_etcd(found: Found, asked_at: Seen) -> ArbiterUnreachable:
    return ArbiterUnreachable(
        f"this etcd is another one (its cluster id is {int(found.cluster or 0):x}, this node knows "
        f"{int(asked_at.cluster):x}): two of them could name two primaries. Check "
        "cluster.etcd.endpoints; if etcd was really made anew, 'mpower cluster arbiter rebuild'",
        "arbiter-other",
    )
