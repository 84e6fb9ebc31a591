"""What each event teaches: the new knowledge, and nothing else. No state changes here.

The record only moves forward (incarnation, epoch); an older one is refused and remembered as a
rolled-back arbiter. A compare-and-swap whose answer was lost becomes a doubt, and a doubt ends only
when the epoch is seen past the one it expected: no read proves that it will not land.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from msgspec import structs

from cluster import events as ev
from cluster.heartbeat import deafened, heard, relayed
from cluster.learning_postgres import TAUGHT_BY_POSTGRES
from cluster.mind import NEVER, Mind
from cluster.reach import met
from cluster.record import is_excluded, is_forced
from protocols.peer import Record


def known_version(mind: Mind) -> tuple[int, int]:
    """The highest incarnation and epoch this node knows, from its disk or since."""
    kept = (mind.disk.incarnation, mind.disk.epoch)
    known = mind.record
    return kept if known is None else max(kept, (known.incarnation, known.epoch))


def _unmade(mind: Mind, record: Record) -> bool:
    """It goes on from before a claim that this node knows of: terms only grow, and an epoch that is
    higher all the same was counted on an older file.
    """
    known = mind.record or mind.disk.record
    same = known is not None and known.incarnation == record.incarnation
    return same and known is not None and record.term < known.term


def learn(mind: Mind, record: Record | None) -> Mind:
    """The arbiter holds this record (None: none)."""
    known = mind.record
    if record is None or record.cluster_id != mind.cluster_id or _unmade(mind, record):
        return mind
    if (record.incarnation, record.epoch) <= known_version(mind) and known is not None:
        return mind
    moved = known is not None and record.epoch > known.epoch
    disk = mind.disk
    if is_excluded(record, mind.me, known_version(mind)[0]):
        disk = structs.replace(disk, diverged=True, rejoining=True)
    elif is_forced(known, record) and record.primary == mind.me:
        disk = structs.replace(disk, diverged=disk.diverged and not disk.short_lsn, short_lsn=0)
    hearing = mind.hearing
    if known is not None and record.term != known.term:
        hearing = structs.replace(hearing, high_flush=0, term_epoch=record.epoch)
    return structs.replace(
        mind,
        record=record,
        hearing=hearing,
        disk=disk,
        settled=mind.settled or moved,
        seen_epoch=max(mind.seen_epoch, record.epoch),
        doubts=tuple(doubt for doubt in mind.doubts if doubt.epoch > record.epoch),
    )


def _beat_heard(mind: Mind, event: ev.BeatHeard) -> Mind:
    beat = event.beat
    if beat.node != mind.peer or beat.incarnation < mind.disk.incarnation:
        return mind
    hearing = heard(mind.hearing, beat, mind.now_s, mind.timers.suspect_s)
    seen = max(mind.seen_epoch, beat.epoch)
    reach = met(mind.reach, beat, mind.disk.system_id, mind.disk.tli)
    return structs.replace(mind, hearing=hearing, seen_epoch=seen, reach=reach)


def _relay_heard(mind: Mind, event: ev.RelayHeard) -> Mind:
    hearing = mind.hearing
    if event.nonce != mind.nonce:
        hearing = structs.replace(
            deafened(hearing, mind.now_s), boot_at_arbiter="", counter_at_arbiter=-1
        )
    peer = event.peer if event.peer is not None and event.peer.node == mind.peer else None
    high_flush = event.high_flush if event.epoch >= hearing.term_epoch else 0
    hearing = relayed(hearing, peer, high_flush, event.asked_at_s, mind.now_s)
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
    other = seen is not None and (seen.cluster_id != mind.cluster_id or _unmade(mind, seen))
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


def _ticked(mind: Mind, event: ev.Tick) -> Mind:
    return structs.replace(mind, wall_s=event.wall_s) if event.wall_s else mind


def _nothing(mind: Mind, event: ev.Event) -> Mind:
    return mind


LESSONS: Final[dict[type[ev.Event], Callable[[Mind, Any], Mind]]] = {
    ev.Tick: _ticked,
    ev.BeatHeard: _beat_heard,
    ev.RelayHeard: _relay_heard,
    ev.ArbiterLost: _arbiter_lost,
    ev.RecordRead: _record_read,
    ev.ReadFailed: _read_failed,
    ev.SwapConfirmed: _swap_confirmed,
    ev.SwapRefused: _swap_refused,
    ev.SwapAmbiguous: _swap_ambiguous,
    ev.SwapFailed: _swap_failed,
    ev.Leaving: _nothing,
    ev.Asked: _nothing,
    **TAUGHT_BY_POSTGRES,
}
"""One lesson for each kind of event."""
EVENTS: Final = tuple(LESSONS)


def taught(mind: Mind, event: ev.Event) -> Mind:
    """What is known after the event."""
    known_lsn = mind.flushed_lsn
    mind = LESSONS[type(event)](mind, event)
    if mind.flushed_lsn <= known_lsn:
        return mind
    return structs.replace(mind, flushed_at_s=mind.now_s)
