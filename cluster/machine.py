"""The failover table and the one step through it: ``step(mind, event, now_s) -> (mind, actions)``.

First the event's lesson is learnt, then the first row that fits is carried out; after a change of
state the new state's rows are looked at again at once, as if by the clock. Last come the errands
that belong to every state: read the record when it is news, keep the epoch, raise and end alarms.
Every (state, event) pair has a row, or only teaches, or is impossible (``cluster.rules.cover``).
"""

from __future__ import annotations

from typing import Final

from msgspec import structs

from cluster import actions as act
from cluster import events as ev
from cluster.heartbeat import deafened
from cluster.learning import EVENTS, known_version, taught
from cluster.learning_postgres import RESULT_OF, relieved
from cluster.mind import NEVER, Mind
from cluster.opening import is_open
from cluster.record import is_excluded
from cluster.rules import (
    asked,
    disks,
    entry,
    gated,
    leaving,
    primary,
    reading,
    rebuilding,
    reclaim,
    recloning,
    rejoin,
    standby,
    switchover,
    takeover,
)
from cluster.rules.cover import IMPOSSIBLE
from cluster.rules.rule import Rule
from cluster.safety import ARBITER_BACK
from cluster.states import State
from cluster.timers import Timers
from cluster.view import alarms_of
from protocols.peer import Record

TABLE: Final[tuple[Rule, ...]] = (
    *rebuilding.ROWS,
    *recloning.ROWS,
    *primary.ENDS,
    *disks.ROWS,
    *switchover.ROWS,
    *leaving.ROWS,
    *reading.ROWS,
    *rejoin.ROWS,
    *gated.ROWS,
    *primary.ROWS,
    *entry.ROWS,
    *standby.ROWS,
    *takeover.ROWS,
    *reclaim.ROWS,
    *asked.ROWS,
)
"""All rows; within a state the first that fits wins."""

MAX_FOLLOW_UPS: Final = 6
"""READING, REJOIN_CHECK, STANDBY_CATCHUP in one step is the longest chain; more would be a loop."""

EAGER: Final = frozenset(
    {
        State.READING,
        State.PRIMARY_STALLED,
        State.GOING_SOLO,
        State.CLAIMING,
        State.PROMOTING,
        State.RECLAIMING,
        State.FENCING,
        State.DRAINING,
    }
)
"""States that read the record again and again: what they wait for is in it."""

CHANGED: Final = "Not done: the record was changed meanwhile. Look again, then ask again."
UNKNOWN: Final = (
    "The arbiter has not answered: it may or may not be recorded."
    " See 'mpower cluster status' before you ask again."
)
NOT_ASKED: Final = f"Not done: the arbiter cannot be reached. {ARBITER_BACK}"

_INDEX: Final[dict[tuple[State, type[ev.Event]], tuple[Rule, ...]]] = {
    (state, event): tuple(row for row in TABLE if state in row.states and event in row.on)
    for state in State
    for event in EVENTS
    if (state, event) not in IMPOSSIBLE
}


def begin(me: str, peer: str, cluster_id: str, boot: str, *, timers: Timers, now_s: float) -> Mind:
    """A node's mind before ``Booted``. ``boot`` is a random id of this process (short, unique)."""
    assert not timers.wrong(), timers.wrong()
    mind = Mind(me=me, peer=peer, cluster_id=cluster_id, boot=boot, timers=timers)
    return structs.replace(mind, now_s=now_s, since_s=now_s)


def step(mind: Mind, event: ev.Event, now_s: float) -> tuple[Mind, tuple[act.Action, ...]]:
    """Learn the event, carry out the row that fits, and run the errands."""
    mind = _at(mind, event, now_s)
    kind, event_given = type(event), event
    if (mind.state, kind) in IMPOSSIBLE:
        return mind, (act.Alarm("unexpected", f"{kind.__name__} came in {mind.state}: a mistake."),)
    if kind in RESULT_OF and not any(name in mind.doing for name in RESULT_OF[kind]):
        event = _TICK  # nobody waits for this answer any more
    mind = relieved(taught(mind, event), event)
    ordered: tuple[act.Action, ...] = ()
    row = _fitting(mind, event)
    follow_ups = 0
    while row is not None:
        before = mind.state
        mind, actions = row.do(mind, event)
        if row.to is not None:
            mind, note = _enter(mind, row)
            actions = (*actions, note)
        ordered += actions
        if mind.state == before or follow_ups == MAX_FOLLOW_UPS:
            break
        follow_ups += 1
        event = _TICK
        row = _fitting(mind, event)
    mind, told = _answered(mind, event_given)
    mind, errands = _errands(mind)
    if kind is ev.Tick:
        mind, changed = _alarms(mind)
        mind = structs.replace(mind, served_at_s=now_s) if is_open(mind) else mind
        errands += changed
    return mind, ordered + told + errands


_TICK: Final = ev.Tick()


def _at(mind: Mind, event: ev.Event, now_s: float) -> Mind:
    slept_s = now_s - mind.now_s
    if type(event) is ev.Tick:
        slept_s = max(slept_s, event.gap_s)
    if slept_s < mind.timers.gap_s:
        return structs.replace(mind, now_s=now_s)
    return structs.replace(
        mind,
        now_s=now_s,
        slept_s=max(slept_s, mind.slept_s),
        stood_s=mind.stood_s + slept_s,
        hearing=deafened(mind.hearing, now_s),
    )


def _fitting(mind: Mind, event: ev.Event) -> Rule | None:
    for row in _INDEX[mind.state, type(event)]:
        if row.when(mind, event):
            return row
    return None


def _enter(mind: Mind, row: Rule) -> tuple[Mind, act.Note]:
    to = row.to
    assert to is not None
    reason = row.reason.format(me=mind.me, peer=mind.peer)
    mind = structs.replace(mind, state=to, since_s=mind.now_s, reason=reason)
    if to is State.READING:
        mind = structs.replace(
            mind,
            fresh=False,
            bumped=False,
            read_is_old=mind.reading,
            read_at_s=NEVER,
            passed=False,
            entry=None,
            switch=None,
        )
    return mind, act.Note(f"{to}: {reason}")


def _answered(mind: Mind, event: ev.Event) -> tuple[Mind, tuple[act.Action, ...]]:
    """The arbiter's word on what an operator asked for is the answer to him."""
    asked_for = mind.asked
    if asked_for is None or getattr(event, "op_id", "") != asked_for.op_id:
        return mind, ()
    ok, code, text = True, "", asked_for.told
    if isinstance(event, ev.SwapRefused):
        ok, code, text = False, "CHANGED", CHANGED
    elif isinstance(event, ev.SwapAmbiguous):
        ok, code, text = False, "UNKNOWN", UNKNOWN
    elif isinstance(event, ev.SwapFailed):
        ok, code, text = False, "NO_ARBITER", NOT_ASKED
    return structs.replace(mind, asked=None), (act.AnswerVerb(asked_for.verb, ok, code, text),)


def _errands(mind: Mind) -> tuple[Mind, tuple[act.Action, ...]]:
    actions: tuple[act.Action, ...] = ()
    record = mind.record
    if record is not None and _wants_kept(mind, record):
        version = (record.incarnation, record.epoch)
        excluded = is_excluded(record, mind.me, mind.kept[0]) or mind.state is State.RECLONING
        disk = structs.replace(mind.disk, incarnation=version[0], epoch=version[1], record=record)
        mind = structs.replace(mind, disk=disk, keep_again_s=NEVER)
        actions = (act.KeepEpoch(version[1], version[0], record, excluded),)
    if _wants_read(mind):
        mind = structs.replace(
            mind, reading=True, read_floor=known_version(mind), sought_epoch=mind.seen_epoch
        )
        actions = (*actions, act.ReadTheRecord())
    return mind, actions


def _alarms(mind: Mind) -> tuple[Mind, tuple[act.Action, ...]]:
    if mind.slept_s:
        mind = structs.replace(mind, slept_s=0.0)
    alarms = alarms_of(mind)
    names = tuple(sorted(alarms))
    if names == mind.alarms:
        return mind, ()
    begun = [act.Alarm(kind, alarms[kind]) for kind in names if kind not in mind.alarms]
    ended = [act.Alarm(kind, "") for kind in mind.alarms if kind not in alarms]
    return structs.replace(mind, alarms=names), (*begun, *ended)


def _wants_kept(mind: Mind, record: Record) -> bool:
    """It is later than what is on the disk, or could not be written there a moment ago."""
    later = (record.incarnation, record.epoch) > (mind.disk.incarnation, mind.disk.epoch)
    return later or (mind.unkept != "" and NEVER < mind.keep_again_s <= mind.now_s)


def _wants_read(mind: Mind) -> bool:
    if mind.reading or mind.state is State.INIT:
        return False
    waited = mind.now_s - mind.read_at_s >= mind.timers.retry_s
    known_epoch = mind.record.epoch if mind.record is not None else 0
    if mind.seen_epoch > max(known_epoch, mind.sought_epoch):
        return True
    news = mind.record is None or mind.seen_epoch > known_epoch or mind.rolled_back
    return waited and (news or mind.state in EAGER)
