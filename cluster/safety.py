"""Is it safe now, and if not, why, and what to do about it: the questions before a person's verb.

Each gives None, or a No with a code for programs, the reason as the rest of a sentence, and what a
person does next. Asked when a verb comes, and again at every step of what takes longer. It must not
change anything.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from cluster.arbiter.register import ROLLED_BACK
from cluster.mind import Mind
from cluster.states import PRIMARIES, State

MAX_LAG_BYTES: Final = 1024 * 1024
"""What the standby may still have to flush when the gate is shut: milliseconds in one LAN."""
MAX_REPLAY_BYTES: Final = 64 * 1024 * 1024
"""What it may still have to replay before it is out of recovery: a second on a slow disk."""
RECLONABLE: Final = frozenset({State.STANDBY_CATCHUP, State.STANDBY_SYNC, State.REJOIN_CHECK})
"""A standby's states in which nothing else is being done to its copy."""
MIN_FREE_MB: Final = 256
"""A server that fills up right after it took over would have to give it back."""


class No(Struct, frozen=True):
    """Why not: ``why`` reads after "because", ``do`` is a sentence of its own."""

    code: str
    why: str
    do: str

    @property
    def sentence(self) -> str:
        """What the operator reads."""
        return f"Not done: {self.why}. {self.do}"


LOOK: Final = "See 'mpower cluster explain'."
ARBITER_BACK: Final = f"First bring the arbiter, or the network to it, back. {LOOK}"


def why_not_switch(mind: Mind, to: str) -> No | None:
    """Why this primary cannot hand its place to ``to`` in order now."""
    record = mind.record
    if record is None:
        return No("NO_RECORD", "there is no record yet", "First: mpower cluster bootstrap.")
    if to == record.primary:
        return No("ALREADY", f"{to} is the primary already", "Nothing needs to be done.")
    if to not in {mind.me, mind.peer}:
        return No("UNKNOWN_NODE", f"there is no node {to}", f"It can only be {mind.peer}.")
    if record.paused:
        return No("PAUSED", "the cluster is paused", "First: mpower cluster resume.")
    if mind.in_maintenance(to):
        why = f"{to} is in maintenance and takes nothing over"
        return No("MAINTENANCE", why, f"First: mpower cluster maintenance {to} off.")
    if not mind.named:
        return No("NOT_PRIMARY", f"{record.primary} is the primary", "Ask that node.")
    return (
        _silent(mind, to) or _not_in_sync(mind, to) or _not_able(mind, to) or _far_behind(mind, to)
    )


def as_yet(mind: Mind, to: str) -> str:
    """What speaks now against a switchover that is planned for later, as its primary sees it."""
    no = why_not_switch(mind, to) if mind.named else None
    return f" It is asked again when it is due; now it could not be: {no.why}." if no else ""


def why_not_close(mind: Mind, to: str) -> No | None:
    """Why the arbiter cannot be closed now, its record going to the one named ``to``."""
    record = mind.record
    assert record is not None, "it was asked for with an epoch"
    if not to:
        return No("USAGE", "it is not said where the record goes", "Name the new arbiter.")
    if mind.doubt or mind.rolled_back:
        why = mind.doubt or "the arbiter's record is older than this node's"
        return No("DOUBT", why, "An arbiter in doubt is not moved: mend that first.")
    if not record.opened:
        why = f"{record.primary} has claimed and is not open yet"
        return No("NOT_OPEN", why, f"Wait until it serves. {LOOK}")
    if record.intent:
        return No("BUSY", "a switchover is asked for", "Wait until it is done, or cancel it.")
    return None


def why_not_confirm(mind: Mind) -> No | None:
    """Why no operator need, or may, stand for a node that has not confirmed its epoch."""
    if mind.rolled_back or ROLLED_BACK in mind.doubt:
        why = "the arbiter's record is older than what a node has seen: it was set back"
        return No("ROLLED_BACK", why, "It must be made anew: mpower cluster arbiter rebuild.")
    if not mind.doubt:
        return No("NOT_NEEDED", "the arbiter waits for nobody", "Nothing needs to be done.")
    if mind.peer_linked:
        why = f"{mind.peer} is heard, and confirms by itself as soon as it reaches the arbiter"
        return No("ALIVE", why, "Look at the network between the two.")
    return None


def why_not_reclone(mind: Mind, node: str) -> No | None:
    """Why this node's copy may not be given up for a fresh one now."""
    record, me, peer = mind.record, mind.me, mind.peer
    assert record is not None, "it was asked for with an epoch"
    if node not in {me, peer}:
        return No("UNKNOWN_NODE", f"there is no node {node}", f"It can only be {me} or {peer}.")
    if node == record.primary and record.opened:
        do = "Switch over first (mpower cluster switchover); then it is a standby."
        return No("PRIMARY", f"{node} is the primary: copies are made of its own", do)
    if not record.opened:
        why = f"{record.primary} has claimed and is not open yet: nobody knows whose copy is needed"
        return No("PROMOTING", why, f"Wait until it serves. {LOOK}")
    if node != me:
        return No("ANOTHER", f"{me} can only give up its own copy", f"Ask {node} itself.")
    if mind.state in {State.RECLONING, State.REWINDING}:
        return No("ALREADY", f"{me} is being copied anew already", LOOK)
    if mind.state not in RECLONABLE:
        why = f"{me} is {mind.state}, which is not a standby's state"
        return No("NOT_STANDBY", why, f"Wait until it follows. {LOOK}")
    if record.paused:
        return No("PAUSED", "the cluster is paused", "First: mpower cluster resume.")
    if record.intent:
        return No("BUSY", "a switchover is asked for", "Wait until it is done, or cancel it.")
    if record.strict and record.sync == me:
        why = "strict is on: all counters would wait until the copy is complete"
        return No("STRICT", why, "First: mpower cluster strict off.")
    return _only_copy(mind)


def _only_copy(mind: Mind) -> No | None:
    """This copy may be the only good one, if the primary's is not seen to serve."""
    beat, record, peer = mind.beat, mind.record, mind.peer
    do = f"Bring {peer} into order first. {LOOK}"
    if beat is None or record is None or not mind.peer_linked:
        return No("ONLY_COPY", f"{peer} is not heard, and this may be the only good copy", do)
    serves = beat.state in PRIMARIES and beat.state != State.PRIMARY_GATED
    if not serves or not beat.healthy or beat.term != record.term:
        why = f"{peer} is {beat.state} and does not serve, so this may be the only good copy"
        return No("ONLY_COPY", why, do)
    if beat.handover or beat.leaving:
        why = f"{peer} will not last ({beat.handover or beat.leaving}); this copy is needed"
        return No("ONLY_COPY", why, do)
    return None


def _silent(mind: Mind, to: str) -> No | None:
    if mind.beat is None or not mind.peer_linked:
        do = f"Bring it back: power, network, 'systemctl start mpower-node' on {to}."
        return No("NOT_HEARD", f"{to} is not heard on any link", do)
    return None


def _not_in_sync(mind: Mind, to: str) -> No | None:
    record = mind.record
    if record is None or record.sync != to:
        return No("NOT_IN_SYNC", f"{to} is not in sync", f"Wait until it is. {LOOK}")
    if mind.state is not State.PRIMARY_SYNC:
        return No("NOT_IN_SYNC", f"{mind.me} is {mind.state}", f"Wait for PRIMARY_SYNC. {LOOK}")
    if not mind.arbiter_heard:
        return No("NO_ARBITER", "the arbiter is not heard", ARBITER_BACK)
    return None


def _not_able(mind: Mind, to: str) -> No | None:
    beat = mind.beat
    assert beat is not None, "heard"
    if beat.leaving or beat.handover:
        return No("LEAVING", f"{to} {beat.leaving or beat.handover}", "Wait until it is back.")
    if beat.state != State.STANDBY_SYNC:
        return No("NOT_IN_SYNC", f"{to} is {beat.state}", f"Wait until it is in sync. {LOOK}")
    if beat.replay_paused:
        do = f"On {to}: SELECT pg_wal_replay_resume(); or see in its log why it stopped."
        return No("REPLAY_PAUSED", f"replay is paused on {to}", do)
    if not beat.healthy:
        return No("UNWELL", f"PostgreSQL of {to} does not answer", "Look at its log and its disk.")
    if 0 <= beat.disk_free_mb < MIN_FREE_MB:
        why = f"the disk of {to} has only {beat.disk_free_mb} MiB free"
        return No("DISK_FULL", why, f"Make room on it: at least {MIN_FREE_MB} MiB.")
    return None


def _far_behind(mind: Mind, to: str) -> No | None:
    facts, row, beat = mind.facts, mind.sync_row, mind.beat
    if facts is None or not mind.facts_fresh or row is None or beat is None:
        return No("UNWELL", "the replication could not be measured", f"Ask again. {LOOK}")
    flush_lag = facts.flush_lsn - row.flush_lsn
    replay_lag = facts.flush_lsn - beat.replay_lsn
    if flush_lag > MAX_LAG_BYTES or replay_lag > MAX_REPLAY_BYTES:
        lag = max(flush_lag, replay_lag) // 1024
        return No("LAG", f"{to} is {lag} KiB behind", "Wait until it has caught up.")
    return None
