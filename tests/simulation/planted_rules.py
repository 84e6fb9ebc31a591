"""The bugs that are planted in decisions: each wraps the real ``step`` and spoils one thing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec import structs

from cluster import actions as act
from cluster import events as ev
from cluster import record as records
from cluster.learning_postgres import done
from cluster.mind import NEVER, Mind
from cluster.reach import Reach
from cluster.rules.rule import order
from cluster.states import State

Outcome = tuple[Mind, tuple[act.Action, ...]]
Step = Callable[[Mind, ev.Event, float], Outcome]


def planted_step(step: Step, planted: frozenset[str]) -> Step:
    """The step with what is planted in decisions."""
    for bug in sorted(planted & WRAPPERS.keys()):
        step = WRAPPERS[bug](step)
    return step


def _asks_solo(actions: tuple[act.Action, ...]) -> bool:
    return any(isinstance(o, act.SwapRecord) and o.record.op_id.endswith("solo") for o in actions)


def _names_off_before_grant(step: Step) -> Step:
    def stepped(mind: Mind, event: ev.Event, now_s: float) -> Outcome:
        mind, actions = step(mind, event, now_s)
        return mind, ((act.SetNames(""), *actions) if _asks_solo(actions) else actions)

    return stepped


def _solo_before_grant(step: Step) -> Step:
    def stepped(mind: Mind, event: ev.Event, now_s: float) -> Outcome:
        mind, actions = step(mind, event, now_s)
        if _asks_solo(actions) and mind.record is not None and mind.passed:
            alone = structs.replace(mind.record, sync="")
            mind = structs.replace(mind, record=alone, swap=None, state=State.PRIMARY_SOLO)
        return mind, actions

    return stepped


def _names_after_swap(step: Step) -> Step:
    """Pretend that the names stand and hold; set them when the record says so."""

    def stepped(mind: Mind, event: ev.Event, now_s: float) -> Outcome:
        before = mind.state
        mind, actions = step(mind, event, now_s)
        if mind.state is State.SYNC_ENTRY and before is State.PRIMARY_SOLO:
            names = next(one.names for one in actions if isinstance(one, act.SetNames))
            mind, probe = step(mind, ev.NamesSet(names), now_s)
            generation = next(o.generation for o in probe if isinstance(o, act.HangProbe))
            barrier = mind.facts.flush_lsn if mind.facts else 0
            mind, offer = step(mind, ev.WaitSeen(generation, barrier), now_s)
            return mind, offer
        if mind.state is State.PRIMARY_SYNC and before is State.SYNC_ENTRY:
            actions = (*actions, act.SetNames(mind.names))
        return mind, actions

    return stepped


def _settled_by_read(step: Step) -> Step:
    """The naive way out of doubt: read, and where it is not, it did not happen."""

    def stepped(mind: Mind, event: ev.Event, now_s: float) -> Outcome:
        if isinstance(event, ev.SwapAmbiguous) and mind.swap is not None:
            mind, actions = step(mind, event, now_s)
            return structs.replace(mind, reading=True), (*actions, act.ReadTheRecord())
        if not isinstance(event, ev.RecordRead) or not mind.doubts:
            return step(mind, event, now_s)
        mind, actions = step(structs.replace(mind, doubts=(), swap=None), event, now_s)
        if mind.state is not State.SYNC_ENTRY:
            return mind, actions
        mind, more = step(mind, ev.ActionFailed("SetNames", "it did not happen"), now_s)
        return mind, (*actions, *more)

    return stepped


def _single_step(step: Step) -> Step:
    def stepped(mind: Mind, event: ev.Event, now_s: float) -> Outcome:
        if isinstance(event, ev.Promoted) and mind.record is not None:
            record = structs.replace(mind.record, opened=True, tli=event.tli)
            mind = structs.replace(mind, record=record)
        return step(mind, event, now_s)

    return stepped


def _restart_gate_off(step: Step) -> Step:
    def stepped(mind: Mind, event: ev.Event, now_s: float) -> Outcome:
        mind, actions = step(mind, event, now_s)
        record = mind.record
        if mind.state is State.PRIMARY_GATED and mind.up and record is not None and record.sync:
            mind = structs.replace(mind, state=State.PRIMARY_SYNC, passed=True, fence=record.term)
            mind = structs.replace(mind, began_lsn=-1)
        return mind, actions

    return stepped


def _start_time_unwatched(step: Step) -> Step:
    def stepped(mind: Mind, event: ev.Event, now_s: float) -> Outcome:
        known = mind.facts
        if isinstance(event, ev.Probed) and known is not None:
            same = structs.replace(event.facts, postmaster_start=known.postmaster_start)
            event = ev.Probed(same)
        return step(mind, event, now_s)

    return stepped


def _high_flush_ignored(step: Step) -> Step:
    def stepped(mind: Mind, event: ev.Event, now_s: float) -> Outcome:
        if mind.hearing.high_flush:
            hearing = structs.replace(mind.hearing, high_flush=0)
            mind = structs.replace(mind, hearing=hearing)
        return step(mind, event, now_s)

    return stepped


def _unreplayed_counts(step: Step) -> Step:
    """Whoever streams has replayed what it flushed, and nobody looks how far he was before."""

    def stepped(mind: Mind, event: ev.Event, now_s: float) -> Outcome:
        if isinstance(event, ev.Probed):
            rows = tuple(
                structs.replace(one, replay_lsn=one.flush_lsn) for one in event.facts.walsenders
            )
            event = ev.Probed(structs.replace(event.facts, walsenders=rows))
        return step(structs.replace(mind, reach=Reach()), event, now_s)

    return stepped


def _standby_unasked(step: Step) -> Step:
    """Who is followed before the peer's beat came knows no better than who never waited."""

    def stepped(mind: Mind, event: ev.Event, now_s: float) -> Outcome:
        closed = mind.state is State.PRIMARY_GATED and mind.began_lsn >= 0
        if closed and mind.nonce and mind.may_retry and isinstance(event, ev.Probed):
            mind, actions = step(mind, event, now_s)
            if mind.state is State.PRIMARY_GATED and mind.idle and mind.holds_enough:
                mind, more = order(mind, act.AdmitStandby())
                actions = (*actions, *more)
            return mind, actions
        return step(mind, event, now_s)

    return stepped


def _written_since_counts(step: Step) -> Step:
    """How far a copy reaches is read from its log, which grows behind the shut gate."""

    def stepped(mind: Mind, event: ev.Event, now_s: float) -> Outcome:
        if mind.began_lsn >= 0 and isinstance(event, ev.Probed):
            mind = structs.replace(mind, began_lsn=max(mind.began_lsn, event.facts.flush_lsn))
        return step(mind, event, now_s)

    return stepped


def _lone_flush_ignored(step: Step) -> Step:
    """Only what a standby has flushed counts, as before a primary vouched for its own."""

    def stepped(mind: Mind, event: ev.Event, now_s: float) -> Outcome:
        if mind.named and not mind.sync_possible and mind.hearing.high_flush:
            hearing = structs.replace(mind.hearing, high_flush=0)
            mind = structs.replace(mind, hearing=hearing)
        if mind.named and not mind.sync_possible and isinstance(event, ev.RelayHeard):
            event = structs.replace(event, high_flush=0)
        return step(mind, event, now_s)

    return stepped


def _claim_not_kept(step: Step) -> Step:
    def stepped(mind: Mind, event: ev.Event, now_s: float) -> Outcome:
        mind, actions = step(mind, event, now_s)
        kept = [one for one in actions if isinstance(one, act.KeepClaim)]
        if not kept:
            return mind, actions
        disk = structs.replace(mind.disk, claim=kept[0].op_id)
        mind = structs.replace(mind, disk=disk, doing=done(mind, "KeepClaim"))
        return mind, tuple(one for one in actions if one not in kept)

    return stepped


def _epoch_not_kept(step: Step) -> Step:
    """Whatever is known counts as kept, whether the disk took it or not."""

    def stepped(mind: Mind, event: ev.Event, now_s: float) -> Outcome:
        if mind.record is not None:
            known = (mind.record.incarnation, mind.record.epoch)
            mind = structs.replace(mind, kept=max(mind.kept, known))
        return step(mind, event, now_s)

    return stepped


def _disk_unseen(step: Step) -> Step:
    """What is seen of the disk binds nobody."""

    def stepped(mind: Mind, event: ev.Event, now_s: float) -> Outcome:
        if isinstance(event, ev.DiskSeen):
            event = ev.DiskSeen("")
        return step(mind, event, now_s)

    return stepped


def _hunger_is_illness(step: Step) -> Step:
    """Every probe without an answer counts as one of a server that hangs."""

    def stepped(mind: Mind, event: ev.Event, now_s: float) -> Outcome:
        if isinstance(event, ev.ProbeFailed):
            event = structs.replace(event, starved=False)
        return step(mind, event, now_s)

    return stepped


def _paused_ignored(step: Step) -> Step:
    def stepped(mind: Mind, event: ev.Event, now_s: float) -> Outcome:
        if mind.record is not None and mind.record.paused and mind.state is State.STANDBY_SYNC:
            mind = structs.replace(mind, record=structs.replace(mind.record, paused=False))
        return step(mind, event, now_s)

    return stepped


def _started_while_paused(step: Step) -> Step:
    """As if this process had never started it before."""

    def stepped(mind: Mind, event: ev.Event, now_s: float) -> Outcome:
        if mind.paused and not mind.up:
            mind = structs.replace(mind, up_at_s=NEVER)
        return step(mind, event, now_s)

    return stepped


def _forced_in_sync(step: Step) -> Step:
    def stepped(mind: Mind, event: ev.Event, now_s: float) -> Outcome:
        wants = isinstance(event, ev.Asked) and event.verb == "failover" and mind.may_swap
        record = mind.record
        if wants and record is not None and mind.fenced and mind.up:
            name = f"{mind.me}-{mind.boot}-{record.epoch}-failover"
            record = records.forced(record, mind.me, name, "forced", held_lsn=mind.held_lsn)
            swap = act.SwapRecord(record.epoch - 1, record)
            return structs.replace(mind, swap=record), (swap,)
        return step(mind, event, now_s)

    return stepped


def _takeovers_forgotten(step: Step) -> Step:
    def stepped(mind: Mind, event: ev.Event, now_s: float) -> Outcome:
        if mind.record is not None and mind.record.takeovers:
            mind = structs.replace(mind, record=structs.replace(mind.record, takeovers=()))
        return step(mind, event, now_s)

    return stepped


def _reclaim_after_marker(step: Step) -> Step:
    """A clone that waits for its source takes the term back instead."""

    def stepped(mind: Mind, event: ev.Event, now_s: float) -> Outcome:
        mind, actions = step(mind, event, now_s)
        record, waits = mind.record, mind.state is State.RECLONING and mind.disk.rejoining
        gone = waits and mind.may_swap and mind.peer_silent(0.5)
        if record is None or not gone or record.prev != mind.me:
            return mind, actions
        name = f"{mind.me}-{mind.boot}-{record.epoch}-reclaim"
        back = records.reclaimed(record, mind.me, name)
        mind = structs.replace(mind, state=State.RECLAIMING, swap=back)
        return mind, (*actions, act.SwapRecord(record.epoch, back))

    return stepped


WRAPPERS: Final[dict[str, Callable[[Step], Step]]] = {
    "solo_before_grant": _solo_before_grant,
    "names_off_before_grant": _names_off_before_grant,
    "names_after_swap": _names_after_swap,
    "single_step_takeover": _single_step,
    "restart_gate_off": _restart_gate_off,
    "start_time_unwatched": _start_time_unwatched,
    "ambiguous_settled_by_read": _settled_by_read,
    "high_flush_ignored": _high_flush_ignored,
    "lone_flush_ignored": _lone_flush_ignored,
    "standby_unasked": _standby_unasked,
    "unreplayed_counts": _unreplayed_counts,
    "written_since_counts": _written_since_counts,
    "claim_not_kept": _claim_not_kept,
    "epoch_not_kept": _epoch_not_kept,
    "disk_unseen": _disk_unseen,
    "hunger_is_illness": _hunger_is_illness,
    "takeover_while_paused": _paused_ignored,
    "started_while_paused": _started_while_paused,
    "takeovers_forgotten": _takeovers_forgotten,
    "forced_in_sync": _forced_in_sync,
    "reclaim_after_marker": _reclaim_after_marker,
}
