"""Bugs that have lost payments elsewhere, each behind a switch: the rig must catch every one.

Some are planted in the decisions (a wrapper around ``step``), some in the model of the daemon or
of the witness, where their names are looked up in ``world.planted``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec import structs

from cluster import actions as act
from cluster import events as ev
from cluster.mind import Mind
from cluster.states import State

Outcome = tuple[Mind, tuple[act.Action, ...]]
Step = Callable[[Mind, ev.Event, float], Outcome]

PLANTED: Final = {
    "replay_without_barrier": "a repeat is answered from a row that may be on one server only",
    "solo_before_grant": "names off when solo is asked, not when it is confirmed",
    "sync_without_probe": "the standby is named without having seen a commit hang",
    "ambiguous_settled_by_read": "a read that shows nothing is taken as 'it did not happen'",
    "ack_gate_ignored": "a COMMIT that returned is acknowledged, warning or not",
    "epoch_fence": "the register stores whatever epoch comes",
    "single_step_takeover": "open when promoted, without telling the arbiter",
    "restart_gate_off": "open as soon as PostgreSQL is up again",
    "high_flush_ignored": "a standby that was set back may claim",
    "witness_without_fsync": "the witness answers before its file is on disk",
}


def planted_step(step: Step, planted: frozenset[str]) -> Step:
    """The step with what is planted in decisions."""
    if "solo_before_grant" in planted:
        step = _solo_before_grant(step)
    if "ambiguous_settled_by_read" in planted:
        step = _settled_by_read(step)
    if "restart_gate_off" in planted:
        step = _restart_gate_off(step)
    if "high_flush_ignored" in planted:
        step = _high_flush_ignored(step)
    if "single_step_takeover" in planted:
        step = _single_step(step)
    return step


def _solo_before_grant(step: Step) -> Step:
    def stepped(mind: Mind, event: ev.Event, now_s: float) -> Outcome:
        mind, actions = step(mind, event, now_s)
        solo = any(
            isinstance(one, act.SwapRecord) and one.record.op_id.endswith("solo") for one in actions
        )
        return mind, ((act.SetNames(""), *actions) if solo else actions)

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
        return mind, actions

    return stepped


def _high_flush_ignored(step: Step) -> Step:
    def stepped(mind: Mind, event: ev.Event, now_s: float) -> Outcome:
        if mind.hearing.high_flush:
            hearing = structs.replace(mind.hearing, high_flush=0)
            mind = structs.replace(mind, hearing=hearing)
        return step(mind, event, now_s)

    return stepped
