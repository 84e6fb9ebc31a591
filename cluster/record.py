"""The next record: each change of who is primary is one pure constructor, epoch + 1, named and
explained.

The term grows only when the primary, or by force its copy, changes. ``op_id`` is the same for every
retry of the same intent on the same epoch, so that a compare-and-swap whose answer was lost is
recognised when it is seen to have landed. Names of sync generations (``<node>_<generation>``) are
written and read only here. This file must not know when a change is due.
"""

from __future__ import annotations

from typing import Final

from msgspec import structs

from cluster.plan import Plan, plan_of
from protocols.peer import Record, TimelineStep

NOBODY_NAMES: Final = 'ANY 1 ("nobody_0")'
"""What a standby carries: no walreceiver has this name, so a server promoted by hand blocks."""
MAX_TIMELINE_STEPS: Final = 64
"""The record is one small message; older promotions stay in the history of the node's log."""

HOUR_S: Final = 3600
MAX_TAKEOVERS: Final = 1000
"""As the settings allow: 10 KB of the record at most."""


def sync_name(node: str, generation: int) -> str:
    """The application name under which ``node`` acknowledges in ``generation``."""
    return f"{node}_{generation}"


def names_for(node: str, generation: int) -> str:
    """The synchronous_standby_names under which only that generation acknowledges; '' for none."""
    return f'ANY 1 ("{sync_name(node, generation)}")' if node else ""


def names_of(record: Record) -> str:
    """The names the record asks for."""
    return names_for(record.sync, record.sync_gen)


def first(cluster_id: str, system_id: str, me: str, op_id: str, who: str = "") -> Record:
    """The record made by bootstrap, asked for by ``who``: one copy, open."""
    reason = f"bootstrap {who}".rstrip()
    return Record(
        cluster_id=cluster_id,
        system_id=system_id,
        incarnation=1,
        epoch=1,
        term=1,
        primary=me,
        op_id=op_id,
        by=me,
        reason=reason,
        why=reason,
    )


def _next(record: Record, by: str, op_id: str, reason: str, **changes: object) -> Record:
    stamp = {"by": by, "op_id": op_id, "reason": reason, "wall_time": 0.0}
    return structs.replace(record, epoch=record.epoch + 1, **stamp, **changes)


def _planned(record: Record) -> str:
    return record.intent if plan_of(record) is not None else ""


def bumped(record: Record, by: str, op_id: str, *, called_off: str = "") -> Record:
    """Nothing changes but the epoch: no earlier compare-and-swap can land after it.

    ``called_off``: why a switchover that was under way, or is past its time, will not be.
    """
    if called_off:
        return without_plan(record, by, op_id, called_off)
    return _next(record, by, op_id, "settled what might still have landed")


def kept(record: Record, by: str, op_id: str, why: str) -> Record:
    """Nothing changes but the epoch, as ``bumped``: the primary offered its place, and has it still
    because nobody took it.
    """
    return _next(record, by, op_id, why)


def planned(record: Record, by: str, op_id: str, plan: Plan, reason: str) -> Record:
    """A switchover is asked for; the primary carries it out when it is due."""
    return _next(record, by, op_id, reason, intent=plan.intent)


def without_plan(record: Record, by: str, op_id: str, reason: str) -> Record:
    """The switchover that was asked for will not be."""
    return _next(record, by, op_id, reason, intent="")


def soloed(record: Record, by: str, op_id: str, reason: str) -> Record:
    """The primary goes on alone: nobody may succeed it until the next sync."""
    return _next(record, by, op_id, reason, sync="", min_lsn=0)


def synced(
    record: Record, by: str, op_id: str, *, peer: str, generation: int, barrier: int
) -> Record:
    """``peer`` has flushed the barrier while the commit gate was closed: it may succeed."""
    reason = f"{peer} is in sync again"
    changes = {"sync": peer, "sync_gen": generation, "min_lsn": barrier}
    return _next(record, by, op_id, reason, **changes)


def claimed(
    record: Record,
    by: str,
    op_id: str,
    reason: str,
    *,
    held_lsn: int = 0,
    switchover: bool = False,
    at_s: int | None = None,
) -> Record:
    """The sync standby takes over: not open before it is promoted. ``switchover``: as was planned;
    a plan that would bring about the same is carried out by it too. ``at_s``: the time of day of a
    takeover that nobody asked for (0 unknown); None: somebody did.

    ``held_lsn`` is what it holds while it claims: should its disk be set back to an older copy
    before it is promoted, that copy is not enough.
    """
    plan = plan_of(record)
    planned_to = plan.to if plan is not None else ""
    return _next(
        record,
        by,
        op_id,
        reason,
        term=record.term + 1,
        primary=by,
        sync="",
        min_lsn=held_lsn,
        opened=False,
        gap_ms=-1,
        why=reason,
        since=0.0,
        prev=record.primary,
        intent="" if switchover or planned_to == by else _planned(record),
        takeovers=record.takeovers if at_s is None else _within_the_hour(record, at_s),
    )


def _within_the_hour(record: Record, at_s: int) -> tuple[int, ...]:
    """This takeover, and those before it; one that lies an hour ahead was told by a wrong clock."""
    at_s = at_s or max(record.takeovers, default=0)
    known = tuple(one for one in record.takeovers if abs(at_s - one) < HOUR_S)
    return (*known, at_s)[-MAX_TAKEOVERS:]


def reclaimed(record: Record, by: str, op_id: str) -> Record:
    """The previous primary takes back a claim never opened; nobody may reclaim after it."""
    reason = f"{record.primary} claimed and cannot serve"
    return _next(
        record,
        by,
        op_id,
        reason,
        term=record.term + 1,
        primary=by,
        sync="",
        opened=False,
        gap_ms=-1,
        why=reason,
        since=0.0,
        prev="",
        intent="reclaim",
    )


def forced(record: Record, by: str, op_id: str, reason: str, *, held_lsn: int) -> Record:
    """An operator makes ``by`` the primary, or leaves it so, although its copy lacks acknowledged
    payments: a new incarnation without the other node, which may never take it back and comes back
    by a clone.
    """
    claim = claimed(record, by, op_id, reason, held_lsn=held_lsn, switchover=True)
    return structs.replace(
        claim, incarnation=record.incarnation + 1, consented=(by,), prev="", intent=""
    )


def is_forced(before: Record | None, after: Record) -> bool:
    """``after`` is an operator's word that what ``before`` had acknowledged is given up where the
    copy of the new primary (which may be the old one, set back) lacks it.
    """
    if before is None or after.opened:
        return False
    next_one = (after.incarnation, after.term) == (before.incarnation + 1, before.term + 1)
    return next_one and after.consented == (after.primary,)


def cut_off(record: Record, node: str) -> bool:
    """The history went on without ``node`` by an operator's word: its copy may hold what was
    acknowledged and is nowhere else.
    """
    return record.consented != () and node not in record.consented


def opened(
    record: Record,
    by: str,
    op_id: str,
    step: TimelineStep | None,
    *,
    cap: int = MAX_TAKEOVERS,
    gap_ms: int = -1,
) -> Record:
    """The primary is out of recovery and serves. ``step`` is its promotion (None: it started in
    place); ``gap_ms`` for how long nobody served. After ``cap`` takeovers in an hour that nobody
    asked for, the cluster pauses with it.
    """
    changes: dict[str, object] = {"opened": True, "gap_ms": gap_ms, "intent": _planned(record)}
    reason = "promoted and open"
    if len(record.takeovers) >= cap:
        changes |= {"paused": True, "capped": True}
        reason = f"{reason}; paused: {len(record.takeovers)} automatic takeovers within an hour"
    if step is not None:
        history = (*record.tli_history, step)[-MAX_TIMELINE_STEPS:]
        changes |= {"tli": step.tli, "tli_history": history}
    return _next(record, by, op_id, reason, **changes)


def closed(record: Record, by: str, op_id: str, who: str, *, to: str) -> Record:
    """The last record of this arbiter: from here on only the one named ``to`` may say yes."""
    return _next(record, by, op_id, f"moved to {to} {who}", moved=to)


def trusted(record: Record, by: str, op_id: str, who: str, *, nonce: str) -> Record:
    """An operator stands for a node that is lost: this life of the arbiter waits for it no more."""
    return _next(record, by, op_id, f"the restarted arbiter is trusted {who}", trusted=nonce)


def recloned(record: Record, by: str, op_id: str, who: str) -> Record:
    """The standby ``by`` gives its copy up for a fresh one: until then it may not succeed."""
    reason = f"{by} is copied anew, asked {who}"
    alone = {"sync": "", "min_lsn": 0} if record.sync == by else {}
    return _next(record, by, op_id, reason, **alone)


def rebuilt(
    record: Record,
    by: str,
    op_id: str,
    *,
    consented: tuple[str, ...],
    epoch: int,
    held_lsn: int,
    who: str = "",
) -> Record:
    """The same, in a new incarnation: the arbiter that held it is lost, or closed. ``epoch`` is
    above every one ever seen; ``held_lsn`` what the sync standby is known to have flushed; ``who``
    asked.
    """
    how = f"moved to {record.moved}" if record.moved else "the arbiter was rebuilt"
    next_one = _next(
        record,
        by,
        op_id,
        f"{how} {who}".rstrip() + f"; {' and '.join(consented)} agreed",
        incarnation=record.incarnation + 1,
        consented=consented,
        moved="",
        min_lsn=max(record.min_lsn, held_lsn) if record.sync else record.min_lsn,
    )
    return structs.replace(next_one, epoch=epoch)


def is_excluded(record: Record, node: str, incarnation: int) -> bool:
    """``node``, which knows ``incarnation`` (0: none), did not agree to the record's later one: its
    copy is no part of that history.
    """
    return 0 < incarnation < record.incarnation and node not in record.consented


def paused(record: Record, by: str, op_id: str, who: str, *, pause: bool) -> Record:
    """An operator switches automatic takeover off or on again; then they are counted anew."""
    if pause:
        return _next(record, by, op_id, f"paused {who}", paused=True)
    changes = {"paused": False, "capped": False, "takeovers": ()}
    return _next(record, by, op_id, f"resumed {who}", **changes)


def strict(record: Record, by: str, op_id: str, who: str, *, strict: bool) -> Record:
    """An operator forbids working on one copy, or allows it again."""
    return _next(record, by, op_id, f"strict {'on' if strict else 'off'} {who}", strict=strict)


def maintained(record: Record, by: str, op_id: str, who: str, *, node: str) -> Record:
    """``node`` is worked on ('' none): it is not missed, and nothing is asked of it."""
    what = f"maintenance of {node} on" if node else f"maintenance of {record.maintenance} off"
    return _next(record, by, op_id, f"{what} {who}", maintenance=node)
