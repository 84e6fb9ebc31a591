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

Step = Callable[[Mind, ev.Event, float], tuple[Mind, tuple[act.Action, ...]]]

PLANTED: Final = {
    "replay_without_barrier": "a repeat is answered from a row that may be on one server only",
    "solo_before_grant": "names off when solo is asked, not when it is confirmed",
    "sync_without_probe": "the standby is named without having seen a commit hang",
    "ambiguous_settled_by_read": "a read that shows nothing is taken as 'it did not happen'",
    "ack_gate_ignored": "a COMMIT that returned is acknowledged, warning or not",
    "epoch_fence": "the register stores whatever epoch comes",
    "single_step_takeover": "the claim opens at once, before the promotion",
    "witness_without_fsync": "the witness answers before its file is on disk",
}


def planted_step(step: Step, planted: frozenset[str]) -> Step:
    """The step with what is planted in decisions."""
    if "solo_before_grant" in planted:
        step = _solo_before_grant(step)
    if "ambiguous_settled_by_read" in planted:
        step = _settled_by_read(step)
    if "single_step_takeover" in planted:
        step = _single_step(step)
    return step


def _solo_before_grant(step: Step) -> Step:
    def stepped(mind: Mind, event: ev.Event, now_s: float) -> tuple[Mind, tuple[act.Action, ...]]:
        mind, actions = step(mind, event, now_s)
        solo = any(
            isinstance(one, act.SwapRecord) and one.record.op_id.endswith("solo") for one in actions
        )
        return mind, ((act.SetNames(""), *actions) if solo else actions)

    return stepped


def _settled_by_read(step: Step) -> Step:
    def stepped(mind: Mind, event: ev.Event, now_s: float) -> tuple[Mind, tuple[act.Action, ...]]:
        if isinstance(event, ev.RecordRead) and mind.doubts:
            mind = structs.replace(mind, doubts=())
        return step(mind, event, now_s)

    return stepped


def _single_step(step: Step) -> Step:
    def stepped(mind: Mind, event: ev.Event, now_s: float) -> tuple[Mind, tuple[act.Action, ...]]:
        mind, actions = step(mind, event, now_s)
        return mind, tuple(_opened_at_once(one) for one in actions)

    return stepped


def _opened_at_once(order: act.Action) -> act.Action:
    if isinstance(order, act.SwapRecord) and order.record.op_id.endswith("claim"):
        record = structs.replace(order.record, opened=True)
        return act.SwapRecord(order.expected, record)
    return order
