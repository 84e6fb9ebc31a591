"""A standby that is copied anew because an operator says so: ``mpower cluster reinit``.

Invariant: its copy is given up only after a confirmed swap has taken it out of the succession; from
then on nothing of it is followed with, also after a crash. How a copy is made is ``rejoin``'s.
"""

from __future__ import annotations

from typing import Final

from msgspec import structs

from cluster import events as ev
from cluster.mind import Mind
from cluster.rules.rule import Outcome, Rule, stop_now
from cluster.safety import RECLONABLE
from cluster.states import State


def granted(mind: Mind, event: ev.SwapConfirmed) -> bool:
    """The swap that an operator asked for stands: this node succeeds nobody until it is whole."""
    asked_for, record = mind.asked, mind.record
    ours = asked_for is not None and asked_for.op_id == event.op_id
    alone = record is not None and record.sync != mind.me and record.primary == mind.peer
    return ours and alone and asked_for is not None and asked_for.verb == "reinit"


def give_up(mind: Mind, event: ev.SwapConfirmed) -> Outcome:
    """Stop; what stands here is judged and replaced like a copy that may have diverged."""
    disk = structs.replace(mind.disk, rejoining=True, fits=None)
    mind = structs.replace(mind, disk=disk, failures=0, retry_at_s=mind.now_s)
    return stop_now(mind, event)


ROWS: Final = (
    Rule(
        tuple(sorted(RECLONABLE)),
        (ev.SwapConfirmed,),
        granted,
        State.RECLONING,
        give_up,
        "An operator has this copy replaced by a fresh one of {peer}.",
    ),
)
