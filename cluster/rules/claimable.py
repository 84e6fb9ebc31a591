"""When a standby may claim: everything that forbids it but the primary being alive.

It may claim only what the record says it holds: named as sync, with the token of that generation,
with WAL at least to ``min_lsn`` and to the highest flush the arbiter remembers of it. It must not
know what makes it due.
"""

from __future__ import annotations

from typing import Final

from cluster.arbiter.register import ROLLED_BACK
from cluster.guard import Guard, hold, nothing_to_do
from cluster.heartbeat import link_silence_s, still_s
from cluster.mind import Mind
from cluster.postgres.lsn import format_lsn

LONG_S: Final = 1e6
"""More is never."""


def _in_recovery(mind: Mind) -> bool:
    return mind.facts is not None and mind.facts.in_recovery


def _well(mind: Mind) -> bool:
    return mind.up and mind.facts_fresh and _in_recovery(mind)


def _how_well(mind: Mind) -> str:
    if not mind.up:
        return f"PostgreSQL of {mind.me} does not run"
    if not mind.facts_fresh:
        return f"PostgreSQL of {mind.me} does not answer"
    kind = "follows" if _in_recovery(mind) else "is out of recovery"
    return f"PostgreSQL of {mind.me} answers and {kind}"


def _make_well(mind: Mind) -> str:
    if mind.held_down and not mind.up:
        return "Let it start: mpower cluster resume."
    return f"Read PostgreSQL's log on {mind.me}: disk, memory, settings."


def _sync_by_record(mind: Mind) -> str:
    record = mind.record
    if record is None:
        return "no record was read"
    if not record.sync:
        return "the record has no standby in sync: one copy"
    return (
        f"the record has {record.sync} in sync, generation {record.sync_gen};"
        f" {mind.me} holds {mind.disk.token}"
    )


def _how_far(mind: Mind) -> str:
    if mind.facts is None:
        return f"how far the copy of {mind.me} reaches is not known"
    known_lsn = format_lsn(mind.flushed_lsn)
    return f"the copy ends at {format_lsn(mind.held_lsn)}, {known_lsn} was acknowledged"


def _catch_up(mind: Mind) -> str:
    """A copy in sync that lacks something was set back; any other is only behind, and what was
    heard since the last probe it may hold.
    """
    if mind.facts is None or not mind.fits_sync or mind.facts_at_s < mind.flushed_at_s:
        return ""
    return f"Was {mind.me} set back to a snapshot? mpower cluster reinit {mind.me}."


def _arbiter(mind: Mind) -> str:
    ago_s = mind.now_s - mind.arbiter_at_s
    if mind.arbiter_heard:
        return f"the arbiter was heard {ago_s:.1f} s ago"
    since = f" for {ago_s:.1f} s" if ago_s < LONG_S else ""
    why = f" ({mind.arbiter_why})" if mind.arbiter_why else ""
    return f"the arbiter has not been heard{since}{why}"


def _free_hands(mind: Mind) -> str:
    if mind.swap is not None:
        return "a change of the record is being asked for"
    if not mind.keeps:
        return f"{mind.me} could not write down the record yet"
    return "nothing else is being asked of the record" if mind.may_swap else "just asked"


def _how_paused(mind: Mind) -> str:
    if mind.record is not None and mind.record.capped:
        count = len(mind.record.takeovers)
        return f"the cluster has paused itself (takeovers within an hour: {count})"
    return f"the cluster is {'' if mind.paused else 'not '}paused"


WHOLE: Final = (
    Guard(
        "IN_SYNC",
        lambda mind: mind.fits_sync,
        _sync_by_record,
        "the record names this node in sync, in the generation it holds",
        lambda mind: "See above, why it is not in sync.",
    ),
    Guard(
        "POSTGRES",
        _well,
        _how_well,
        "it runs in recovery and answers",
        _make_well,
    ),
    Guard(
        "HOLDS",
        lambda mind: mind.holds_enough,
        _how_far,
        "the copy reaches all that was acknowledged",
        _catch_up,
    ),
    Guard(
        "ARBITER",
        lambda mind: mind.arbiter_heard and mind.nonce != "",
        _arbiter,
        "it answers, for only it can say yes",
        lambda mind: "Start the witness (or etcd) and look at the network to it.",
    ),
)


def _end_doubt(mind: Mind) -> str:
    if ROLLED_BACK in mind.doubt:
        return "Stop whatever set it back; then: mpower cluster arbiter rebuild."
    return "Start the node it waits for; if it is lost: mpower cluster arbiter confirm."


PAUSE: Final = Guard(
    "PAUSED",
    lambda mind: not mind.paused,
    _how_paused,
    "not paused",
    lambda mind: "It may again after: mpower cluster resume. What keeps failing: mend it first.",
)
CLAIM: Final = (
    *WHOLE,
    PAUSE,
    Guard(
        "MAINTENANCE",
        lambda mind: not mind.in_maintenance(mind.me),
        lambda mind: (
            f"{mind.record.maintenance} is in maintenance"
            if mind.record is not None and mind.record.maintenance
            else "no node is in maintenance"
        ),
        "this node is not in maintenance",
        lambda mind: f"When the work is done: mpower cluster maintenance {mind.me} off.",
    ),
    Guard(
        "DISK",
        lambda mind: not mind.disk_seen.bad,
        lambda mind: f"the disk of {mind.me} is {mind.disk_seen.condition or 'well'}",
        "it takes writes",
        lambda mind: f"Make room on the disk of {mind.me}, or replace it.",
    ),
    Guard(
        "FREE",
        lambda mind: mind.may_swap and mind.idle,
        _free_hands,
        "nothing else is under way",
        nothing_to_do,
    ),
    Guard(
        "STAYS",
        lambda mind: mind.leaving == "",
        lambda mind: f"{mind.me} {f'leaves: {mind.leaving}' if mind.leaving else 'stays'}",
        "it is not being stopped",
        lambda mind: f"Start it again: systemctl start mpower-node on {mind.me}.",
    ),
    Guard(
        "DOUBT",
        lambda mind: mind.doubt == "",
        lambda mind: mind.doubt or "the arbiter waits for nobody",
        "both nodes have told it which record they know",
        _end_doubt,
    ),
)


def may_claim(mind: Mind) -> bool:
    """Nothing forbids a claim but the primary being alive."""
    return mind.record is not None and hold(CLAIM, mind)


def hindrance(mind: Mind) -> str:
    """The first thing that forbids a claim and that does not pass by itself, ''."""
    against = (one for one in CLAIM if not one.holds(mind) and one.do(mind))
    return next((one.says(mind) for one in against), "")


def _silences(mind: Mind) -> str:
    link_s = max(0.0, link_silence_s(mind.hearing, mind.now_s))
    still = max(0.0, still_s(mind.hearing))
    return (
        f"{mind.peer} was heard {link_s:.1f} s ago on the links, and its beats stood still for"
        f" {still:.1f} s at the arbiter"
    )


SILENT: Final = Guard(
    "SILENT",
    lambda mind: mind.peer_silent(mind.timers.takeover_s),
    _silences,
    "silence of the primary on every path, for the time of a takeover",
    nothing_to_do,
)
"""What makes a claim due that nobody asked for."""
