"""What each event teaches: the new knowledge, and nothing else. No state changes here.

The record only moves forward (incarnation, epoch); an older one is refused and remembered as a
rolled-back arbiter. A compare-and-swap whose answer was lost becomes a doubt, and a doubt ends only
when the epoch is seen past the one it expected: no read proves that it will not land. What
PostgreSQL reported before it exited is forgotten when it exits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from msgspec import structs

from cluster import events as ev
from cluster.heartbeat import deafened, heard, relayed
from cluster.mind import NEVER, Disk, Mind
from cluster.record import NOBODY_NAMES
from protocols.peer import Record

RESULT_OF: Final[dict[type[ev.Event], tuple[str, ...]]] = {
    ev.PostgresStarted: ("StartPrimary", "StartStandby"),
    ev.Promoted: ("Promote",),
    ev.NamesSet: ("SetNames",),
    ev.WaitSeen: ("HangProbe",),
    ev.FenceWritten: ("WriteFence",),
    ev.TokenKept: ("KeepToken",),
    ev.ClaimKept: ("KeepClaim",),
    ev.StockTaken: ("TakeStock",),
    ev.Rewound: ("Rewind",),
    ev.Cloned: ("Clone",),
    ev.Initialised: ("Initialise",),
}
"""Which ordered action an event answers."""

TRACKED: Final = frozenset(name for names in RESULT_OF.values() for name in names) | {
    "StopPostgres"
}
"""Actions whose answer the machine waits for before it orders more of PostgreSQL."""


def done(mind: Mind, *names: str) -> tuple[str, ...]:
    """What is still being done when one of these was answered."""
    for at, name in enumerate(mind.doing):
        if name in names:
            return mind.doing[:at] + mind.doing[at + 1 :]
    return mind.doing


def known_version(mind: Mind) -> tuple[int, int]:
    """The highest incarnation and epoch this node knows, from its disk or since."""
    kept = (mind.disk.incarnation, mind.disk.epoch)
    known = mind.record
    return kept if known is None else max(kept, (known.incarnation, known.epoch))


def relieved(mind: Mind, event: ev.Event) -> Mind:
    """What had failed has now been done."""
    over = mind.trouble[0] in RESULT_OF.get(type(event), ())
    return structs.replace(mind, trouble=("", "")) if over else mind


def learn(mind: Mind, record: Record | None) -> Mind:
    """The arbiter holds this record (None: none)."""
    known = mind.record
    if record is None or record.cluster_id != mind.cluster_id:
        return mind
    if (record.incarnation, record.epoch) <= known_version(mind) and known is not None:
        return mind
    moved = known is not None and record.epoch > known.epoch
    return structs.replace(
        mind,
        record=record,
        settled=mind.settled or moved,
        seen_epoch=max(mind.seen_epoch, record.epoch),
        doubts=tuple(doubt for doubt in mind.doubts if doubt.epoch > record.epoch),
    )


def _booted(mind: Mind, event: ev.Booted) -> Mind:
    found = event.holdings
    whole = found.clean_shutdown and found.was_primary
    disk = Disk(
        has_data=found.has_data,
        was_primary=found.was_primary,
        clean_end_lsn=found.end_lsn if whole else -1,
        system_id=found.system_id,
        tli=found.tli,
        names=found.names,
        token=found.token,
        claim=found.claim,
        rejoining=found.rejoining,
        diverged=found.torn,
        kept_old=found.kept_old,
        epoch=found.epoch,
        incarnation=found.incarnation,
    )
    return structs.replace(mind, disk=disk, hearing=deafened(mind.hearing, mind.now_s))


def _beat_heard(mind: Mind, event: ev.BeatHeard) -> Mind:
    beat = event.beat
    if beat.node != mind.peer or beat.incarnation < mind.disk.incarnation:
        return mind
    hearing = heard(mind.hearing, beat, mind.now_s, mind.timers.suspect_s)
    seen = max(mind.seen_epoch, beat.epoch)
    return structs.replace(mind, hearing=hearing, seen_epoch=seen)


def _relay_heard(mind: Mind, event: ev.RelayHeard) -> Mind:
    hearing = mind.hearing
    if event.nonce != mind.nonce:
        hearing = structs.replace(
            deafened(hearing, mind.now_s), boot_at_arbiter="", counter_at_arbiter=-1
        )
    peer = event.peer if event.peer is not None and event.peer.node == mind.peer else None
    hearing = relayed(hearing, peer, event.high_flush, event.asked_at_s, mind.now_s)
    return structs.replace(
        mind,
        hearing=hearing,
        nonce=event.nonce,
        arbiter_at_s=max(mind.arbiter_at_s, event.asked_at_s),
        seen_epoch=max(mind.seen_epoch, event.epoch),
        arbiter_alarm="",
        arbiter_why="",
        doubt=event.doubt,
        undoubted_at_s=mind.undoubted_at_s if event.doubt else mind.now_s,
    )


def _arbiter_lost(mind: Mind, event: ev.ArbiterLost) -> Mind:
    at_s = min(mind.arbiter_at_s, mind.now_s - 1e-3)
    return structs.replace(
        mind, arbiter_at_s=at_s, arbiter_alarm=event.alarm, arbiter_why=event.why
    )


def _record_read(mind: Mind, event: ev.RecordRead) -> Mind:
    seen = event.record
    version = (seen.incarnation, seen.epoch) if seen is not None else (0, 0)
    other = seen is not None and seen.cluster_id != mind.cluster_id
    rolled_back = version < mind.read_floor or other
    if not rolled_back:
        mind = learn(mind, seen)
    return structs.replace(
        mind,
        reading=False,
        rolled_back=rolled_back,
        fresh=mind.fresh or not (rolled_back or mind.read_is_old),
        read_is_old=False,
        read_at_s=mind.now_s,
        arbiter_at_s=mind.now_s,
    )


def _read_failed(mind: Mind, event: ev.ReadFailed) -> Mind:
    return structs.replace(mind, reading=False, read_is_old=False, read_at_s=mind.now_s)


def _swap_ended(mind: Mind, op_id: str) -> Mind:
    if mind.swap is None or mind.swap.op_id != op_id:
        return mind
    return structs.replace(mind, swap=None, swap_at_s=mind.now_s)


def _swap_confirmed(mind: Mind, event: ev.SwapConfirmed) -> Mind:
    mind = learn(_swap_ended(mind, event.op_id), event.record)
    return structs.replace(
        mind, settled=True, bumped=True, fresh=True, arbiter_at_s=mind.now_s, swap_at_s=NEVER
    )


def _swap_refused(mind: Mind, event: ev.SwapRefused) -> Mind:
    mind = learn(_swap_ended(mind, event.op_id), event.record)
    return structs.replace(mind, arbiter_at_s=mind.now_s)


def _swap_ambiguous(mind: Mind, event: ev.SwapAmbiguous) -> Mind:
    swap = mind.swap
    mind = _swap_ended(mind, event.op_id)
    if swap is None or swap.op_id != event.op_id:
        return mind
    past = mind.record is not None and mind.record.epoch >= swap.epoch
    if past or any(doubt.op_id == swap.op_id for doubt in mind.doubts):
        return mind
    return structs.replace(mind, doubts=(*mind.doubts, swap))


def _swap_failed(mind: Mind, event: ev.SwapFailed) -> Mind:
    return _swap_ended(mind, event.op_id)


def _probed(mind: Mind, event: ev.Probed) -> Mind:
    if not mind.up:
        return mind  # a late answer of a server that is gone
    facts, known = event.facts, mind.facts
    disk = mind.disk
    if facts.tli != disk.tli or (not facts.in_recovery) != disk.was_primary:
        disk = structs.replace(disk, tli=facts.tli, was_primary=not facts.in_recovery)
    restarted = known is not None and known.postmaster_start != facts.postmaster_start
    barrier_lsn = mind.barrier_lsn
    if not facts.in_recovery and (barrier_lsn < 0 or restarted):
        barrier_lsn = facts.flush_lsn
    mind = structs.replace(mind, facts=facts)
    return structs.replace(
        mind,
        vouched=_vouched(mind),
        facts_at_s=mind.now_s,
        probed_at_s=mind.now_s,
        streamed_at_s=mind.now_s if facts.receiver_streaming else mind.streamed_at_s,
        disk=disk,
        barrier_lsn=barrier_lsn,
        whole_term=_whole_term(mind),
        rearm=mind.rearm or restarted,
        passed=mind.passed and not restarted,
    )


def _whole_term(mind: Mind) -> int:
    """The opened primary's own server is by definition whole, while this process watches it."""
    record, facts = mind.record, mind.facts
    serving = mind.passed and record is not None and record.opened and mind.named
    if serving and record is not None and facts is not None and not facts.in_recovery:
        return record.term
    return mind.whole_term


def _vouched(mind: Mind) -> tuple[int, int]:
    """What the present sync generation was seen to have flushed; it outlives the server."""
    row, record = mind.sync_row, mind.record
    if row is None or record is None:
        return mind.vouched
    generation, flush_lsn = mind.vouched
    if generation != record.sync_gen:
        return (record.sync_gen, row.flush_lsn)
    return (generation, max(flush_lsn, row.flush_lsn))


def _probe_failed(mind: Mind, event: ev.ProbeFailed) -> Mind:
    return mind


def _started(mind: Mind, event: ev.PostgresStarted) -> Mind:
    # Whatever this start was for, the copy on disk is not a cleanly stopped one any more.
    names = NOBODY_NAMES if event.as_standby else mind.disk.names
    disk = structs.replace(mind.disk, clean_end_lsn=-1, names=names, fits=None)
    return structs.replace(
        mind,
        up=True,
        doing=done(mind, *RESULT_OF[ev.PostgresStarted]),
        disk=disk,
        facts=None,
        up_at_s=mind.now_s,
        probed_at_s=mind.now_s,
        streamed_at_s=mind.now_s,
        barrier_lsn=-1,
        rearm=False,
        passed=False,
        names=names,
    )


def _exited(mind: Mind, event: ev.PostgresExited) -> Mind:
    # It died by itself before our stop reached it: the stop's own answer is still to come.
    stopping = not event.asked and "StopPostgres" in mind.doing
    return structs.replace(
        mind,
        up=False,
        doing=("StopPostgres",) if stopping else (),
        facts=None,
        facts_at_s=NEVER,
        barrier_lsn=-1,
        rearm=False,
        passed=False,
        promoted_tli=0,
        entry=None,
    )


def _promoted(mind: Mind, event: ev.Promoted) -> Mind:
    disk = structs.replace(mind.disk, was_primary=True, tli=event.tli)
    return structs.replace(
        mind,
        doing=done(mind, "Promote"),
        disk=disk,
        facts=None,
        promoted_tli=event.tli,
        switch_lsn=event.switch_lsn,
        failures=0,
    )


def _names_set(mind: Mind, event: ev.NamesSet) -> Mind:
    disk = structs.replace(mind.disk, names=event.names)
    return structs.replace(mind, doing=done(mind, "SetNames"), disk=disk, names=event.names)


def _wait_seen(mind: Mind, event: ev.WaitSeen) -> Mind:
    entry = mind.entry
    if entry is not None and entry.generation == event.generation:
        entry = structs.replace(entry, barrier_lsn=event.barrier_lsn, offered=True)
    return structs.replace(mind, doing=done(mind, "HangProbe"), entry=entry)


def _fence_written(mind: Mind, event: ev.FenceWritten) -> Mind:
    return structs.replace(mind, doing=done(mind, "WriteFence"), fence=event.term)


def _epoch_kept(mind: Mind, event: ev.EpochKept) -> Mind:
    return mind


def _token_kept(mind: Mind, event: ev.TokenKept) -> Mind:
    disk = structs.replace(mind.disk, token=event.generation, rejoining=False)
    return structs.replace(mind, doing=done(mind, "KeepToken"), disk=disk)


def _claim_kept(mind: Mind, event: ev.ClaimKept) -> Mind:
    disk = structs.replace(mind.disk, claim=event.op_id)
    return structs.replace(mind, doing=done(mind, "KeepClaim"), disk=disk)


def _stock_taken(mind: Mind, event: ev.StockTaken) -> Mind:
    disk = structs.replace(mind.disk, fits=event.fits)
    return structs.replace(mind, doing=done(mind, "TakeStock"), disk=disk)


def _rewound(mind: Mind, event: ev.Rewound) -> Mind:
    return _fresh_copy(mind, event.system_id, "Rewind", kept_old=mind.disk.kept_old)


def _cloned(mind: Mind, event: ev.Cloned) -> Mind:
    kept_old = mind.disk.fits is not False and (mind.disk.has_data or mind.disk.kept_old)
    return _fresh_copy(mind, event.system_id, "Clone", kept_old=kept_old)


def _fresh_copy(mind: Mind, system_id: str, order: str, *, kept_old: bool) -> Mind:
    disk = structs.replace(
        mind.disk,
        has_data=True,
        was_primary=False,
        clean_end_lsn=-1,
        system_id=system_id,
        tli=mind.record.tli if mind.record else 0,
        names="",
        token=0,
        claim="",
        diverged=False,
        fits=None,
        kept_old=kept_old,
    )
    return structs.replace(mind, doing=done(mind, order), disk=disk, failures=0)


def _initialised(mind: Mind, event: ev.Initialised) -> Mind:
    disk = structs.replace(
        mind.disk, has_data=True, was_primary=True, system_id=event.system_id, tli=1
    )
    return structs.replace(mind, doing=done(mind, "Initialise"), disk=disk)


def _action_failed(mind: Mind, event: ev.ActionFailed) -> Mind:
    if event.action not in mind.doing:
        return mind
    if event.action == "Clone":  # the room may have gone meanwhile
        mind = structs.replace(mind, disk=structs.replace(mind.disk, fits=None))
    failures = mind.failures + 1
    wait_s = min(mind.timers.restart_s * 2 ** min(failures - 1, 8), mind.timers.restart_cap_s)
    return structs.replace(
        mind,
        doing=done(mind, event.action),
        failures=failures,
        retry_at_s=mind.now_s + wait_s,
        trouble=(event.action, event.reason),
    )


def _nothing(mind: Mind, event: ev.Event) -> Mind:
    return mind


LESSONS: Final[dict[type[ev.Event], Callable[[Mind, Any], Mind]]] = {
    ev.Booted: _booted,
    ev.Tick: _nothing,
    ev.BeatHeard: _beat_heard,
    ev.RelayHeard: _relay_heard,
    ev.ArbiterLost: _arbiter_lost,
    ev.RecordRead: _record_read,
    ev.ReadFailed: _read_failed,
    ev.SwapConfirmed: _swap_confirmed,
    ev.SwapRefused: _swap_refused,
    ev.SwapAmbiguous: _swap_ambiguous,
    ev.SwapFailed: _swap_failed,
    ev.Probed: _probed,
    ev.ProbeFailed: _probe_failed,
    ev.PostgresStarted: _started,
    ev.PostgresExited: _exited,
    ev.Promoted: _promoted,
    ev.NamesSet: _names_set,
    ev.WaitSeen: _wait_seen,
    ev.FenceWritten: _fence_written,
    ev.EpochKept: _epoch_kept,
    ev.TokenKept: _token_kept,
    ev.ClaimKept: _claim_kept,
    ev.StockTaken: _stock_taken,
    ev.Rewound: _rewound,
    ev.Cloned: _cloned,
    ev.Initialised: _initialised,
    ev.Leaving: _nothing,
    ev.ActionFailed: _action_failed,
    ev.Asked: _nothing,
}
"""One lesson for each kind of event."""
EVENTS: Final = tuple(LESSONS)
