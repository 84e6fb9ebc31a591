"""Alone, and the way back into sync: names first, a probe that is seen to hang, the barrier, the
grant.

From the first step on only the new generation's flush acknowledges. Before the compare-and-swap
was sent, a failed attempt takes the names off again; once it was sent and not answered the names
stay on until the arbiter's record says otherwise (I1), and the same grant is asked again.
"""

from __future__ import annotations

from typing import Final

from msgspec import structs

from cluster import actions as act
from cluster import events as ev
from cluster import record as records
from cluster.guard import hold
from cluster.intents import Entry
from cluster.mind import Mind
from cluster.rules.enterable import ENTER
from cluster.rules.gated import (
    fence_missing,
    names_differ,
    open_gate,
    set_names,
    write_fence,
)
from cluster.rules.primary import (
    close_gate,
    empty_names,
)
from cluster.rules.rule import (
    POSTGRES,
    RECORD,
    TIME,
    Outcome,
    Rule,
    nothing,
    op_id,
    order,
    owing,
    propose,
)
from cluster.states import State


def standby_ready(mind: Mind, event: ev.Event) -> bool:
    """Nothing speaks against beginning."""
    return hold(ENTER, mind)


def begin_entry(mind: Mind, event: ev.Event) -> Outcome:
    """Names that nobody has used yet: a commit must now hang."""
    assert mind.record is not None
    beat = mind.beat
    used = max(mind.record.sync_gen, mind.last_generation, beat.token if beat else 0)
    for one in mind.facts.walsenders if mind.facts else ():
        _, _, generation = one.application_name.rpartition("_")
        used = max(used, int(generation) if generation.isdecimal() else 0)
    entry = Entry(used + 1, _replayed(mind))
    mind = structs.replace(mind, entry=entry, last_generation=entry.generation)
    return order(mind, act.SetNames(records.names_for(mind.peer, entry.generation)))


def _replayed(mind: Mind) -> int:
    rows = mind.facts.walsenders if mind.facts else ()
    ours = f"{mind.peer}_"
    return max((one.replay_lsn for one in rows if one.application_name.startswith(ours)), default=0)


def _entry_names(mind: Mind) -> str:
    return records.names_for(mind.peer, mind.entry.generation) if mind.entry else ""


def names_stand(mind: Mind, event: ev.Event) -> bool:
    """The new names are on disk and loaded; whether they bind is not known yet (fact F4)."""
    entry = mind.entry
    return (
        mind.idle
        and entry is not None
        and entry.barrier_lsn < 0
        and mind.names == _entry_names(mind)
    )


def probe_gate(mind: Mind, event: ev.Event) -> Outcome:
    """Write until a commit is seen to hang."""
    assert mind.entry is not None
    return order(mind, act.HangProbe(mind.entry.generation))


def tell_peer(mind: Mind, event: ev.Event) -> Outcome:
    """The gate is proven closed: offer the generation."""
    return mind, (act.BeatNow(),)


def _sent(mind: Mind) -> bool:
    return mind.sync_possible


def flushed_barrier(mind: Mind, event: ev.Event) -> bool:
    """The standby has flushed the barrier under its new name, and read on to there from where it
    was before that was written: one on another tail of this timeline takes the bytes and cannot.
    Or this very grant was asked before: any other swap whose answer was lost, an operator's, says
    nothing about it.
    """
    entry = mind.entry
    if entry is None or entry.barrier_lsn < 0 or not mind.may_swap:
        return False
    if any((one.sync, one.sync_gen) == (mind.peer, entry.generation) for one in mind.doubts):
        return True
    row = mind.walsender(records.sync_name(mind.peer, entry.generation))
    if row is None or entry.replayed_lsn >= entry.barrier_lsn:
        return False
    return min(row.flush_lsn, row.replay_lsn) >= entry.barrier_lsn


def ask_sync(mind: Mind, event: ev.Event) -> Outcome:
    """Ask the arbiter to name the standby as successor."""
    assert mind.record is not None
    assert mind.entry is not None
    generation, barrier = mind.entry.generation, mind.entry.barrier_lsn
    name = op_id(mind, f"sync{generation}")
    record = records.synced(
        mind.record, mind.me, name, peer=mind.peer, generation=generation, barrier=barrier
    )
    return propose(mind, record)


def granted_sync(mind: Mind, event: ev.Event) -> bool:
    """The record names the standby in this generation."""
    record, entry = mind.record, mind.entry
    return (
        mind.named
        and record is not None
        and entry is not None
        and (record.sync, record.sync_gen) == (mind.peer, entry.generation)
    )


def in_sync(mind: Mind, event: ev.Event) -> Outcome:
    """Two copies from here on."""
    return open_gate(structs.replace(mind, entry_failures=0), event)


def too_late(mind: Mind, event: ev.Event) -> bool:
    """The deadline passed, or a step failed, and the grant was never asked for."""
    if _sent(mind) or mind.entry is None:
        return False
    late = mind.now_s - mind.since_s >= mind.timers.entry_s
    lost = isinstance(event, ev.ActionFailed) and event.action in {"SetNames", "HangProbe"}
    return late or lost


def give_up_entry(mind: Mind, event: ev.Event) -> Outcome:
    """Names off; try again later."""
    failures = mind.entry_failures + 1
    wait_s = min(mind.timers.backoff_s * 2 ** min(failures - 1, 8), mind.timers.backoff_cap_s)
    mind = owing(mind)
    mind = structs.replace(
        mind, entry=None, entry_failures=failures, entry_after_s=mind.now_s + wait_s
    )
    return order(mind, act.SetNames(""), act.BeatNow())


def _entry_lost(mind: Mind, event: ev.Event) -> bool:
    return mind.entry is None


def restarted_again(mind: Mind, event: ev.Event) -> bool:
    """PostgreSQL has yet another start time since the gate was shut."""
    return mind.rearm


def grant_in_doubt(mind: Mind, event: ev.Event) -> bool:
    """An entry ended behind the gate with its swap unanswered: nobody asks for it again here."""
    record = mind.record
    asked = any(doubt.sync for doubt in mind.doubts)
    return asked and mind.swap is None and record is not None and record.sync == ""


A, E, G = State.PRIMARY_SOLO, State.SYNC_ENTRY, State.PRIMARY_GATED

ROWS: Final = (
    Rule((A,), POSTGRES, names_differ, None, set_names, "Alone: the names come off."),
    Rule((A,), POSTGRES, fence_missing, None, write_fence, "The fence row gets this term."),
    Rule(
        (A,),
        RECORD,
        lambda mind, event: mind.sync_possible,
        State.PRIMARY_GATED,
        set_names,
        "The record has a sync standby after all; gate shut until it has all.",
    ),
    Rule(
        (A,),
        (ev.Probed, ev.BeatHeard, ev.NamesSet, ev.Tick),
        standby_ready,
        E,
        begin_entry,
        "{peer} follows closely; bringing it in sync.",
    ),
    Rule((E,), RECORD, granted_sync, State.PRIMARY_SYNC, in_sync, "{peer} is in sync: two copies."),
    Rule((E,), (ev.NamesSet, ev.Tick), names_stand, None, probe_gate, "Do commits hang?"),
    Rule((E,), (ev.WaitSeen,), lambda mind, event: True, None, tell_peer, "They do: offered."),
    Rule(
        (E,),
        (*RECORD, ev.Probed),
        flushed_barrier,
        None,
        ask_sync,
        "{peer} has flushed and replayed the barrier; asking the arbiter to name it.",
    ),
    Rule(
        (E,),
        (ev.ActionFailed, ev.SwapFailed, ev.SwapRefused, ev.Tick),
        too_late,
        A,
        give_up_entry,
        "{peer} did not come in sync in time; alone as before, trying again later.",
    ),
    Rule((E,), RECORD, _entry_lost, A, empty_names, "Nothing was offered; alone as before."),
    # gated: an entry that a restart broke off, or a second restart
    Rule((G,), (ev.Probed,), restarted_again, None, close_gate, "Restarted again; gated still."),
    Rule(
        (G,),
        TIME,
        grant_in_doubt,
        State.READING,
        nothing,
        "A grant that was asked for may still land; settling it before the gate opens.",
    ),
)
