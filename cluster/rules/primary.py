"""The primary that is open: in sync, stalled, or asking to go on alone.

What ends every primary stands first, so that no other row can come before it: the record names
another, PostgreSQL is gone or hangs, the loop slept, nobody is heard. The names are emptied only
after a confirmed compare-and-swap to sync = null (I1).
"""

from __future__ import annotations

from typing import Final

from msgspec import structs

from cluster import actions as act
from cluster import events as ev
from cluster import record as records
from cluster.mind import FOLLOWERS, Mind
from cluster.rules.gated import caught_up, open_gate, ready_in_sync, standby_told
from cluster.rules.rule import (
    PEER,
    RECORD,
    TIME,
    Outcome,
    Rule,
    always,
    hand_over,
    nothing,
    op_id,
    order,
    owing,
    propose,
    stop_now,
)
from cluster.states import PRIMARIES, State

SPEAKS: Final = FOLLOWERS | {State.READING}
"""A standby in these is about to say how far it is."""
ANY_PRIMARY: Final = tuple(state for state in State if state in PRIMARIES)


# ---- conditions


def fenced(mind: Mind, event: ev.Event) -> bool:
    """The record names another primary."""
    return mind.fenced


def hung(mind: Mind, event: ev.Event) -> bool:
    """PostgreSQL runs and has answered no probe for longer than is borne, while this loop ran."""
    silent_s = mind.now_s - max(mind.probed_at_s, mind.up_at_s) - mind.stood_s
    return mind.up and silent_s >= mind.patience_s and not mind.paused


def slept(mind: Mind, event: ev.Event) -> bool:
    """This process stood still long enough for the standby to have taken over."""
    return mind.sync_possible and mind.slept_s >= mind.timers.takeover_s


def overtaken(mind: Mind, event: ev.Event) -> bool:
    """The peer speaks of a later term."""
    beat, record = mind.beat, mind.record
    return beat is not None and record is not None and beat.term > record.term


def isolated(mind: Mind, event: ev.Event) -> bool:
    """Nobody is heard that hears us, and somebody else may be primary by now."""
    return mind.sync_possible and mind.unheard_s >= mind.timers.isolate_s


def stalled(mind: Mind, event: ev.Event) -> bool:
    """Commits wait for the standby, or nobody streams in its name, or it says that it leaves."""
    if mind.facts is None:
        return False
    beat = mind.beat
    return (
        mind.sync_row is None
        or mind.facts.oldest_sync_wait_s > mind.timers.stall_s
        or (beat is not None and beat.leaving != "")
    )


def flowing(mind: Mind, event: ev.Event) -> bool:
    """The standby streams again and nothing waits."""
    return ready_in_sync(mind, event) and not stalled(mind, event)


def _may_go_solo(mind: Mind) -> bool:
    record = mind.record
    certain = record is not None and record.sync != "" and not record.strict
    would_grant = mind.nonce != "" and mind.doubt == ""
    return mind.up and certain and mind.may_swap and would_grant


def still_stalled(mind: Mind, event: ev.Event) -> bool:
    """The stall has lasted, or the standby leaves on purpose."""
    beat = mind.beat
    leaves = beat is not None and beat.leaving != ""
    lasted = mind.now_s - mind.since_s >= mind.timers.solo_s
    return _may_go_solo(mind) and (leaves or lasted) and stalled(mind, event)


def peer_absent(mind: Mind, event: ev.Event) -> bool:
    """Since the start the standby has not come back; one that is heard has said how far it is."""
    hearing, timers = mind.hearing, mind.timers
    waited_s = mind.now_s - max(mind.up_at_s, mind.since_s)
    if mind.peer_linked and waited_s < timers.hung_alone_s:
        waited_s = min(waited_s, mind.now_s - hearing.progress_at_s - timers.suspect_s)
        if mind.beat is not None and mind.beat.state in SPEAKS and not standby_told(mind):
            return False
    return (
        _may_go_solo(mind)
        and mind.facts_fresh
        and waited_s >= timers.solo_s
        and mind.holds_enough
        and not caught_up(mind)
    )


def granted_alone(mind: Mind, event: ev.Event) -> bool:
    """The record has no sync standby, none can still land, and that is on the disk."""
    return mind.may_serve_alone


def not_granted(mind: Mind, event: ev.Event) -> bool:
    """The compare-and-swap ended without making us alone."""
    return mind.swap is None and not mind.alone_for_sure


# ---- deeds


def died(mind: Mind, event: ev.Event) -> Outcome:
    """The postmaster is gone: the standby may claim at once."""
    return hand_over(mind, "postmaster died")


def give_up_hung(mind: Mind, event: ev.Event) -> Outcome:
    """A server that does not answer is stopped, and the standby may claim at once."""
    return hand_over(mind, "PostgreSQL does not answer", act.StopPostgres("immediate"))


def close_gate(mind: Mind, event: ev.Event) -> Outcome:
    """Nothing is served until the standby has flushed what stands here now. Where this start began
    nobody measured, for it was not ours; whoever follows went on following.

    Nothing can be acknowledged through that: a process that ends takes no flushed WAL along, and
    nobody was sent any other, so recovery reached all of it. Only a machine's fall loses some, and
    that ends this daemon; and a folder changed for an older one needs the postmaster's end first,
    which is reaped here before another is seen. Both lead to a start of ours, which is measured.
    """
    flush_lsn = mind.facts.flush_lsn if mind.facts is not None else -1
    return structs.replace(mind, rearm=False, passed=False, barrier_lsn=flush_lsn), ()


def ask_solo(mind: Mind, event: ev.Event) -> Outcome:
    """Ask the arbiter to let this node go on alone; the names stay on until it is confirmed."""
    assert mind.record is not None
    beat = mind.beat
    leaves = beat is not None and beat.leaving
    why = f"{mind.peer} leaves: {beat.leaving}" if beat and leaves else f"{mind.peer} is absent"
    alone = records.soloed(mind.record, mind.me, op_id(mind, "solo"), why)
    return propose(owing(mind), alone)


def empty_names(mind: Mind, event: ev.Event) -> Outcome:
    """Confirmed: commits need wait for nobody."""
    return order(mind, act.SetNames(""), act.BeatNow())


G, S, L, W = State.PRIMARY_GATED, State.PRIMARY_SYNC, State.PRIMARY_STALLED, State.GOING_SOLO
OPEN_IN_SYNC: Final = (S, L, W)

ENDS: Final = (
    Rule(
        ANY_PRIMARY,
        RECORD,
        fenced,
        State.FENCING,
        stop_now,
        "The record names {peer} as primary; gate shut, PostgreSQL is stopped at once.",
    ),
    Rule(
        ANY_PRIMARY,
        (ev.PostgresExited,),
        always,
        State.READING,
        died,
        "The postmaster died; gate shut, {peer} may take over at once.",
    ),
    Rule(
        ANY_PRIMARY,
        (ev.ProbeFailed, ev.Tick),
        hung,
        State.READING,
        give_up_hung,
        "PostgreSQL does not answer; gate shut, {peer} may take over at once.",
    ),
    Rule(
        ANY_PRIMARY,
        PEER,
        overtaken,
        State.READING,
        nothing,
        "{peer} speaks of a later term; gate shut until the record is read.",
    ),
    Rule(
        ANY_PRIMARY,
        TIME,
        slept,
        State.READING,
        nothing,
        "This process stood still; gate shut until the record is read.",
    ),
    Rule(
        ANY_PRIMARY,
        TIME,
        isolated,
        State.ISOLATED,
        nothing,
        "No link to anybody is alive both ways; gate shut, PostgreSQL keeps blocking.",
    ),
    Rule(
        (S, L, W, State.PRIMARY_SOLO, State.SYNC_ENTRY),
        (ev.Probed,),
        lambda mind, event: mind.rearm,
        G,
        close_gate,
        "PostgreSQL was restarted; gate shut until what it shows is safe.",
    ),
)

ROWS: Final = (
    # gated
    Rule((G,), TIME, peer_absent, W, ask_solo, "{peer} does not come back; asking to go alone."),
    # in sync
    Rule(
        OPEN_IN_SYNC,
        RECORD,
        lambda mind, event: granted_alone(mind, event) and mind.passed,
        State.PRIMARY_SOLO,
        empty_names,
        "The arbiter confirmed: alone, one copy. Alarm.",
    ),
    Rule(
        (L, W),
        RECORD,
        granted_alone,
        G,
        nothing,
        "The arbiter confirmed: alone, one copy; the gate opens when the names are off.",
    ),
    Rule(
        (S,),
        (ev.Probed, ev.BeatHeard, ev.RelayHeard, ev.Tick),
        stalled,
        L,
        nothing,
        "{peer} does not acknowledge; commits wait.",
    ),
    Rule((L,), (ev.Probed, ev.Tick), flowing, S, open_gate, "{peer} acknowledges again."),
    Rule(
        (L,),
        (ev.Probed, ev.BeatHeard, ev.RelayHeard, ev.Tick),
        still_stalled,
        W,
        ask_solo,
        "{peer} stays away; asking the arbiter to go on alone.",
    ),
    Rule(
        (W,),
        RECORD,
        lambda mind, event: not_granted(mind, event) and not mind.passed,
        G,
        nothing,
        "Not granted (yet); gated as before, the record is read again.",
    ),
    Rule(
        (W,),
        RECORD,
        not_granted,
        L,
        nothing,
        "Not granted (yet); commits keep waiting, the record is read again.",
    ),
)
