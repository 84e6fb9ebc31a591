"""When the primary, alone, may begin to bring its standby in sync: every guard of it.

The peer follows closely on our timeline, is well and set up to be counted on, and the back-off is
over. It must not know how the entry goes on.
"""

from __future__ import annotations

from typing import Final

from cluster.fitness import complaints
from cluster.guard import Guard, nothing_to_do
from cluster.heartbeat import only_links_cut
from cluster.mind import Mind
from cluster.states import State

LONG_S: Final = 1e6
"""More is never."""
MAX_LAG_BYTES: Final = 1024 * 1024
"""A standby further behind would stall the clerks while it catches up under the new names."""


def _streams(mind: Mind) -> bool:
    facts = mind.facts
    if facts is None or not mind.facts_fresh:
        return False
    return any(
        one.application_name.startswith(f"{mind.peer}_")
        and one.state == "streaming"
        and facts.flush_lsn - one.flush_lsn < MAX_LAG_BYTES
        and one.replay_lsn > 0  # it has told from where it will have to read on
        and one.flush_lsn >= mind.owed_lsn  # a hung disk streams closely, and flushes nothing
        for one in facts.walsenders
    )


def _how_it_streams(mind: Mind) -> str:
    facts = mind.facts
    if facts is None or not mind.facts_fresh:
        return f"PostgreSQL of {mind.me} does not answer"
    ours = [one for one in facts.walsenders if one.application_name.startswith(f"{mind.peer}_")]
    if not ours:
        return f"nothing streams to {mind.peer}"
    lag = max(0, facts.flush_lsn - max(one.flush_lsn for one in ours)) // 1024
    return f"{mind.peer} is {ours[0].state}, {lag} KiB behind"


def _heard(mind: Mind) -> bool:
    return mind.beat is not None and mind.peer_linked


def _how_heard(mind: Mind) -> str:
    ago_s = mind.now_s - mind.hearing.peer_at_s
    if _heard(mind):
        return f"{mind.peer} was heard {ago_s:.1f} s ago"
    return f"{mind.peer} has not been heard{f' for {ago_s:.1f} s' if ago_s < LONG_S else ''}"


def _peer_state(mind: Mind) -> str:
    return f"{mind.peer} is {mind.beat.state}" if mind.beat else f"{mind.peer} has not been heard"


def _well(mind: Mind) -> bool:
    beat = mind.beat
    return beat is not None and beat.healthy and beat.leaving == ""


def _how_well(mind: Mind) -> str:
    beat = mind.beat
    if beat is None:
        return f"nothing is known of {mind.peer}"
    if beat.leaving:
        return f"{mind.peer} leaves: {beat.leaving}"
    return f"PostgreSQL of {mind.peer} {'is' if beat.healthy else 'is not'} well"


def _until_it_follows(mind: Mind) -> str:
    if mind.beat is not None and mind.beat.state in {State.RECLONING, State.REWINDING}:
        return f"A copy is being made on {mind.peer}: that ends by itself, and then it follows."
    return f"Wait while it copies or replays; else read the log of {mind.peer}."


def _while_paused(mind: Mind, do: str) -> str:
    """Paused, a peer's PostgreSQL that stopped by itself waits for people, not they for it."""
    resume = "Paused, what stopped by itself there stays down: mpower cluster resume."
    return resume if mind.paused and not _well(mind) else do


def _unfit(mind: Mind) -> str:
    return "; ".join(one.why for one in complaints(mind)) or "settings and database fit"


def _stands_alone(mind: Mind) -> bool:
    steady = mind.names == "" and mind.passed and mind.alone_for_sure
    return mind.may_retry and mind.may_swap and steady


ENTER: Final = (
    Guard(
        "HEARD",
        _heard,
        _how_heard,
        "it is heard on a link",
        lambda mind: (
            f"{mind.peer} lives, the arbiter hears it: mend the links between the two."
            if only_links_cut(mind.hearing, mind.now_s, mind.timers.suspect_s)
            else f"Bring {mind.peer} back: power, network, 'systemctl start mpower-node' there."
        ),
    ),
    Guard(
        "MAINTENANCE",
        lambda mind: mind.record is not None and mind.record.maintenance != mind.peer,
        lambda mind: (
            f"{mind.record.maintenance} is in maintenance"
            if mind.record is not None and mind.record.maintenance
            else "no node is in maintenance"
        ),
        "the standby is not in maintenance",
        lambda mind: f"When the work is done: mpower cluster maintenance {mind.peer} off.",
    ),
    Guard(
        "FOLLOWS",
        lambda mind: mind.beat is not None and mind.beat.state == State.STANDBY_CATCHUP,
        _peer_state,
        "a standby that catches up (STANDBY_CATCHUP)",
        lambda mind: _while_paused(mind, _until_it_follows(mind)),
    ),
    Guard(
        "WELL",
        _well,
        _how_well,
        "it answers, replays and stays",
        lambda mind: _while_paused(
            mind, f"Read PostgreSQL's log on {mind.peer}: disk, memory, paused replay."
        ),
    ),
    Guard(
        "FIT",
        lambda mind: not complaints(mind),
        _unfit,
        "nothing speaks against counting on that copy",
        lambda mind: " ".join(one.do for one in complaints(mind)),
    ),
    Guard(
        "TIMELINE",
        lambda mind: mind.beat is not None and mind.beat.tli == mind.disk.tli,
        lambda mind: (
            f"{mind.peer} is on timeline {mind.beat.tli if mind.beat else 'unknown'},"
            f" {mind.me} on {mind.disk.tli}"
        ),
        "the same timeline",
        nothing_to_do,
    ),
    Guard(
        "STREAMS",
        _streams,
        _how_it_streams,
        f"it streams, less than {MAX_LAG_BYTES // 1024} KiB behind, and flushes",
        lambda mind: f"If that lasts: the network's speed, and the disk of {mind.peer}.",
    ),
    Guard(
        "BACK_OFF",
        lambda mind: mind.now_s >= mind.entry_after_s,
        lambda mind: (
            f"the next attempt is in {mind.entry_after_s - mind.now_s:.0f} s"
            if mind.now_s < mind.entry_after_s
            else "no attempt is waited for"
        ),
        "the pause after the last attempt is over",
        nothing_to_do,
    ),
    Guard(
        "STEADY",
        _stands_alone,
        lambda mind: (
            f"{mind.me} serves alone" if _stands_alone(mind) else f"{mind.me} is still settling"
        ),
        "the primary serves alone and nothing else is under way",
        nothing_to_do,
    ),
)
