"""A failover that an operator forces: the copy that is left is not known to hold everything.

Either the primary is gone, or its own copy, the only one, was set back and the other node is gone.
Refused wherever it is not needed (a copy in sync takes over by itself, without loss) or not safe
(the primary is heard, the arbiter is in doubt, no whole copy runs here). The primary may still run
where nobody hears it: only the operator can know, so he says that it is powered off. The new
incarnation keeps it out should it come back. What can be lost is told before it is asked for.
"""

from __future__ import annotations

from typing import Final

from cluster.heartbeat import link_silence_s
from cluster.mind import NEVER, Mind
from cluster.postgres.lsn import format_lsn
from cluster.safety import LOOK, No
from cluster.states import State

FOLLOWING: Final = frozenset({State.STANDBY_CATCHUP, State.STANDBY_SYNC})


def why_not_force(mind: Mind) -> No | None:
    """Why this node is not made the primary by force."""
    record = mind.record
    assert record is not None
    if mind.named:
        do = "Its copy may hold more: power one server off, then ask the other."
        return _not_set_back(mind) or _not_gone(mind, do) or _not_to_be_opened(mind)
    do = "If it serves: mpower cluster switchover. If it must go, power it off first."
    return _not_gone(mind, do) or _not_needed(mind) or _not_able(mind)


def _not_gone(mind: Mind, do: str) -> No | None:
    ago_s = _any_sign_s(mind)
    if not mind.peer_silent(mind.timers.takeover_s) or ago_s < mind.timers.takeover_s:
        said = f"{max(0.0, ago_s):.1f} s"
        heard = f"{mind.peer} was heard {said} ago"
        if mind.hearing.beat is None:
            heard = f"{mind.me} has listened for {mind.peer} for {said} only"
        return No("NOT_GONE", heard, do)
    return None


def _not_set_back(mind: Mind) -> No | None:
    """The primary by record has nothing to be forced, unless its copy was seen to lack something
    while nobody else may have it.
    """
    record = mind.record
    assert record is not None
    if mind.disk.short_lsn and record.opened and mind.alone_for_sure:
        return None
    do = f"Nothing needs to be done; for {mind.peer}: mpower cluster switchover."
    if mind.state is State.ISOLATED:
        do = f"Bring the arbiter or {mind.peer} back: then it serves again by itself."
    return No("PRIMARY", f"{mind.me} is the primary by record", do)


def _not_to_be_opened(mind: Mind) -> No | None:
    record, disk = mind.record, mind.disk
    assert record is not None
    if record.paused:
        return No("PAUSED", "the cluster is paused", "First: mpower cluster resume.")
    if disk.rejoining or not disk.has_data or disk.system_id != record.system_id:
        return No("NO_COPY", f"the copy of {mind.me} is not the pair's", "It must be cloned.")
    if mind.state is not State.READING or mind.touched or not mind.idle:
        why = f"{mind.me} is {mind.state}, and its PostgreSQL is not at rest yet"
        return No("BUSY", why, "Ask in a moment.")
    return _no_ground(mind)


def _any_sign_s(mind: Mind) -> float:
    """How long ago anything came of the peer: a beat, though it hears us not or is ill; its log.

    Who is to be given up with what it acknowledged must be gone, not only unfit to serve.
    """
    hearing = mind.hearing
    streamed = mind.streamed_at_s > mind.up_at_s  # since this start: else nothing was seen yet
    last_s = max(hearing.peer_at_s, mind.streamed_at_s if streamed else NEVER)
    return min(link_silence_s(hearing, mind.now_s), mind.now_s - last_s)


def _not_needed(mind: Mind) -> No | None:
    record = mind.record
    assert record is not None
    if not mind.fits_sync:
        return None
    if not mind.holds_enough:
        replays = mind.up and mind.now_s - mind.up_at_s < mind.timers.progress_s
        why = f"{mind.me} was in sync, and still replays what is on its disk"
        return No("BUSY", why, "Ask in a moment.") if replays else None
    if record.paused:
        do = "Let it take over without loss: mpower cluster resume."
    elif record.maintenance == mind.me:
        do = f"Let it take over without loss: mpower cluster maintenance {mind.me} off."
    elif mind.doubt:
        do = "Let it take over without loss: mpower cluster arbiter confirm."
    else:
        do = f"It takes over by itself within seconds. {LOOK}"
    return No("NOT_NEEDED", f"{mind.me} is in sync and holds all that was acknowledged", do)


def _not_able(mind: Mind) -> No | None:
    facts = mind.facts
    if mind.state not in FOLLOWING or facts is None or not (mind.up and mind.facts_fresh):
        why = f"{mind.me} is {mind.state}, and no copy runs here that could be promoted"
        return No("NO_COPY", why, f"See its log, and bring {mind.peer} back if that is possible.")
    if not facts.in_recovery or mind.disk.diverged:
        return No("NO_COPY", f"the copy of {mind.me} is not the pair's", "It must be cloned.")
    return _no_ground(mind)


def _no_ground(mind: Mind) -> No | None:
    if mind.disk_seen.bad:
        return No("DISK", f"the disk of {mind.me} takes no writes", "Mend that first.")
    if mind.doubt:
        return No("DOUBT", mind.doubt, "First: mpower cluster arbiter confirm.")
    return None


def bound(mind: Mind) -> str:
    """What can be lost, as far as this node can know."""
    record, beat = mind.record, mind.hearing.beat
    assert record is not None
    held = mind.disk.short_lsn if mind.named else mind.held_lsn
    known = max(
        beat.flush_lsn if beat is not None and beat.node == mind.peer else 0,
        mind.flushed_lsn,
    )
    lag = max(0, known - held)
    if mind.named:
        return (
            f"The copy of {mind.me}, which served alone, was set back and ends at"
            f" {format_lsn(held)}. The arbiter remembers {lag} bytes of log more. Lost are all"
            " payments in them: receipts that consumers hold, and that the books will not know."
        )
    if not known:
        missing = f"{mind.peer} was not heard since {mind.me} started: nobody knows how far it was."
    elif beat is not None and beat.node == mind.peer:
        ago_s = mind.now_s - max(mind.hearing.peer_at_s, mind.hearing.since_s)
        when = f"By its last word, {ago_s:.0f} s ago or more"
        missing = f"{when}, {mind.peer} had {lag} bytes of log more."
    else:
        missing = f"The arbiter remembers {lag} bytes of log more."
    alone = f"{mind.peer} served alone by record" if not record.sync else "it served on"
    return (
        f"The copy of {mind.me} ends at {format_lsn(held)}. {missing} Lost are all payments in"
        f" them, and whatever was acknowledged after that ({alone}): receipts that consumers hold,"
        " and that the books will not know."
    )
