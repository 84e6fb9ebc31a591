"""What PostgreSQL and the disk teach: probes, starts and ends, and the answers to what was ordered.

The other half of ``cluster.learning``. What PostgreSQL reported before it exited is forgotten when
it exits; what it was ordered is remembered until it is answered. No state changes here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from msgspec import structs

from cluster import events as ev
from cluster.heartbeat import deafened
from cluster.mind import NEVER, Disk, Mind
from cluster.reach import Reach
from cluster.record import NOBODY_NAMES

RESULT_OF: Final[dict[type[ev.Event], tuple[str, ...]]] = {
    ev.PostgresStarted: ("StartPrimary", "StartStandby"),
    ev.StandbyAdmitted: ("AdmitStandby",),
    ev.Promoted: ("Promote",),
    ev.NamesSet: ("SetNames",),
    ev.WaitSeen: ("HangProbe",),
    ev.FenceWritten: ("WriteFence",),
    ev.TokenKept: ("KeepToken",),
    ev.ClaimKept: ("KeepClaim",),
    ev.StockTaken: ("TakeStock",),
    ev.Rewound: ("Rewind",),
    ev.Cloned: ("Clone",),
    ev.Initialised: ("Initialise",),
    ev.WorkFinished: ("FinishWork",),
}
"""Which ordered action an event answers."""

STILL_BYTES: Final = 1024
"""Between two probes a server at rest writes less: the probe's own record, the odd snapshot."""

TRACKED: Final = frozenset(name for names in RESULT_OF.values() for name in names) | {
    "StopPostgres"
}
"""Actions whose answer the machine waits for before it orders more of PostgreSQL."""


def done(mind: Mind, *names: str) -> tuple[str, ...]:
    """What is still being done when one of these was answered."""
    for at, name in enumerate(mind.doing):
        if name in names:
            return mind.doing[:at] + mind.doing[at + 1 :]
    return mind.doing


def relieved(mind: Mind, event: ev.Event) -> Mind:
    """What had failed has now been done."""
    over = mind.trouble[0] in RESULT_OF.get(type(event), ())
    return structs.replace(mind, trouble=("", "")) if over else mind


def _booted(mind: Mind, event: ev.Booted) -> Mind:
    found = event.holdings
    whole = found.clean_shutdown and found.was_primary
    disk = Disk(
        has_data=found.has_data,
        was_primary=found.was_primary,
        clean_end_lsn=found.end_lsn if whole else -1,
        system_id=found.system_id,
        tli=found.tli,
        names=found.names,
        token=found.token,
        claim=found.claim,
        rejoining=found.rejoining,
        diverged=found.torn,
        unproven=found.unproven,
        kept_old=found.kept_old,
        epoch=found.epoch,
        incarnation=found.incarnation,
        record=found.record,
    )
    kept = (found.incarnation, found.epoch)
    hearing = deafened(mind.hearing, mind.now_s)
    return structs.replace(mind, disk=disk, kept=kept, hearing=hearing)


def _probed(mind: Mind, event: ev.Probed) -> Mind:
    if not mind.up:
        return mind  # a late answer of a server that is gone
    facts, known = event.facts, mind.facts
    disk = mind.disk
    if facts.tli != disk.tli or (not facts.in_recovery) != disk.was_primary:
        disk = structs.replace(disk, tli=facts.tli, was_primary=not facts.in_recovery)
    restarted = known is not None and known.postmaster_start != facts.postmaster_start
    barrier_lsn = mind.barrier_lsn
    if not facts.in_recovery and (barrier_lsn < 0 or restarted):
        barrier_lsn = facts.flush_lsn
    held_before = mind.held_lsn
    mind = structs.replace(mind, facts=facts)
    moved = mind.held_lsn - held_before > STILL_BYTES
    reach = mind.reach
    if facts.in_recovery and not facts.receiver_streaming:
        reach = structs.replace(reach, rest_lsn=facts.replay_lsn)
    elif _reads_on(known, facts):
        reach = structs.replace(reach, read_at_s=mind.now_s)
    return structs.replace(
        mind,
        moved_at_s=mind.now_s if moved else mind.moved_at_s,
        vouched=_vouched(mind),
        reach=reach,
        facts_at_s=mind.now_s,
        probed_at_s=mind.now_s,
        starved=False,
        unanswered=False,
        stood_s=0.0,
        streamed_at_s=mind.now_s if facts.receiver_streaming else mind.streamed_at_s,
        disk=disk,
        barrier_lsn=barrier_lsn,
        whole_term=_whole_term(mind),
        rearm=mind.rearm or restarted,
        life_began_lsn=0 if restarted else mind.life_began_lsn,
        passed=mind.passed and not restarted,
    )


def _reads_on(known: ev.Facts | None, facts: ev.Facts) -> bool:
    """Its walreceiver takes the primary's log, and the server can read on in it."""
    level = facts.replay_paused or facts.replay_lsn >= facts.receive_lsn
    reads = level or known is None or facts.replay_lsn > known.replay_lsn
    return facts.receiver_streaming and reads


def _whole_term(mind: Mind) -> int:
    """The opened primary's own server is by definition whole, while this process watches it."""
    record, facts = mind.record, mind.facts
    serving = mind.passed and record is not None and record.opened and mind.named
    if serving and record is not None and facts is not None and not facts.in_recovery:
        return record.term
    return mind.whole_term


def _vouched(mind: Mind) -> tuple[int, int]:
    """What the present sync generation was seen to have flushed; it outlives the server."""
    row, record = mind.sync_row, mind.record
    if row is None or record is None:
        return mind.vouched
    generation, flush_lsn = mind.vouched
    if generation != record.sync_gen:
        return (record.sync_gen, row.flush_lsn)
    return (generation, max(flush_lsn, row.flush_lsn))


def _disk_seen(mind: Mind, event: ev.DiskSeen) -> Mind:
    well = not event.bad
    offered_at_s = NEVER if well else mind.offered_at_s
    return structs.replace(mind, disk_seen=event, offered_at_s=offered_at_s)


def _probe_failed(mind: Mind, event: ev.ProbeFailed) -> Mind:
    return structs.replace(mind, starved=event.starved, unanswered=True)


def _started(mind: Mind, event: ev.PostgresStarted) -> Mind:
    # Whatever this start was for, the copy on disk is not a cleanly stopped one any more.
    names = NOBODY_NAMES if event.as_standby else mind.disk.names
    unproven = mind.disk.unproven or not event.as_standby
    disk = structs.replace(mind.disk, clean_end_lsn=-1, names=names, fits=None, unproven=unproven)
    return structs.replace(
        mind,
        up=True,
        fence=mind.fence if event.as_standby else 0,  # written anew: it proves this start
        doing=done(mind, *RESULT_OF[ev.PostgresStarted]),
        disk=disk,
        facts=None,
        up_at_s=mind.now_s,
        probed_at_s=mind.now_s,
        starved=False,
        unanswered=False,
        stood_s=0.0,
        streamed_at_s=mind.now_s,
        began_lsn=-1 if event.as_standby else event.began_lsn,
        life_began_lsn=0 if event.as_standby else event.began_lsn,
        barrier_lsn=-1,
        rearm=False,
        passed=False,
        names=names,
    )


def _standby_admitted(mind: Mind, event: ev.StandbyAdmitted) -> Mind:
    return structs.replace(mind, doing=done(mind, "AdmitStandby"), began_lsn=-1)


def _checkpointed(mind: Mind, event: ev.Checkpointed) -> Mind:
    if mind.switch is None:
        return mind
    return structs.replace(mind, switch=structs.replace(mind.switch, ready=True))


def _work_finished(mind: Mind, event: ev.WorkFinished) -> Mind:
    return structs.replace(mind, doing=done(mind, "FinishWork"))


def _exited(mind: Mind, event: ev.PostgresExited) -> Mind:
    # It died by itself before our stop reached it: the stop's own answer is still to come.
    stopping = not event.asked and "StopPostgres" in mind.doing
    if mind.up:
        disk = structs.replace(mind.disk, clean_end_lsn=event.clean_end_lsn)
        mind = structs.replace(mind, disk=disk)
    return structs.replace(
        mind,
        up=False,
        doing=("StopPostgres",) if stopping else (),
        facts=None,
        facts_at_s=NEVER,
        began_lsn=-1,
        life_began_lsn=0,
        barrier_lsn=-1,
        rearm=False,
        passed=False,
        owed_lsn=0,
        promoted_tli=0,
        entry=None,
    )


def _promoted(mind: Mind, event: ev.Promoted) -> Mind:
    disk = structs.replace(mind.disk, was_primary=True, tli=event.tli)
    return structs.replace(
        mind,
        doing=done(mind, "Promote"),
        disk=disk,
        facts=None,
        promoted_tli=event.tli,
        switch_lsn=event.switch_lsn,
        failures=0,
    )


def _names_set(mind: Mind, event: ev.NamesSet) -> Mind:
    disk = structs.replace(mind.disk, names=event.names)
    return structs.replace(mind, doing=done(mind, "SetNames"), disk=disk, names=event.names)


def _wait_seen(mind: Mind, event: ev.WaitSeen) -> Mind:
    entry = mind.entry
    if entry is not None and entry.generation == event.generation:
        entry = structs.replace(entry, barrier_lsn=event.barrier_lsn, offered=True)
    return structs.replace(mind, doing=done(mind, "HangProbe"), entry=entry)


def _fence_written(mind: Mind, event: ev.FenceWritten) -> Mind:
    disk = structs.replace(mind.disk, unproven=False)
    return structs.replace(mind, doing=done(mind, "WriteFence"), fence=event.term, disk=disk)


def _epoch_kept(mind: Mind, event: ev.EpochKept) -> Mind:
    kept = max(mind.kept, (event.incarnation, event.epoch))
    return structs.replace(mind, kept=kept, unkept="")


def _token_kept(mind: Mind, event: ev.TokenKept) -> Mind:
    disk = structs.replace(mind.disk, token=event.generation, rejoining=False)
    return structs.replace(mind, doing=done(mind, "KeepToken"), disk=disk)


def _claim_kept(mind: Mind, event: ev.ClaimKept) -> Mind:
    disk = structs.replace(mind.disk, claim=event.op_id)
    return structs.replace(mind, doing=done(mind, "KeepClaim"), disk=disk)


def _stock_taken(mind: Mind, event: ev.StockTaken) -> Mind:
    disk = structs.replace(mind.disk, fits=event.fits)
    return structs.replace(mind, doing=done(mind, "TakeStock"), disk=disk)


def _rewound(mind: Mind, event: ev.Rewound) -> Mind:
    return _fresh_copy(mind, event.system_id, "Rewind", kept_old=mind.disk.kept_old)


def _cloned(mind: Mind, event: ev.Cloned) -> Mind:
    kept_old = mind.disk.fits is not False and (mind.disk.has_data or mind.disk.kept_old)
    return _fresh_copy(mind, event.system_id, "Clone", kept_old=kept_old)


def _fresh_copy(mind: Mind, system_id: str, order: str, *, kept_old: bool) -> Mind:
    disk = structs.replace(
        mind.disk,
        has_data=True,
        was_primary=False,
        unproven=False,
        clean_end_lsn=-1,
        system_id=system_id,
        tli=mind.record.tli if mind.record else 0,
        names="",
        token=0,
        claim="",
        diverged=False,
        short_lsn=0,
        fits=None,
        kept_old=kept_old,
    )
    return structs.replace(mind, doing=done(mind, order), disk=disk, failures=0, reach=Reach())


def _initialised(mind: Mind, event: ev.Initialised) -> Mind:
    disk = structs.replace(
        mind.disk, has_data=True, was_primary=True, system_id=event.system_id, tli=1
    )
    return structs.replace(mind, doing=done(mind, "Initialise"), disk=disk)


def _action_failed(mind: Mind, event: ev.ActionFailed) -> Mind:
    if event.action == "KeepEpoch":
        again_s = mind.now_s + mind.timers.restart_s
        return structs.replace(mind, unkept=event.reason, keep_again_s=again_s)
    if event.action not in mind.doing:
        return mind
    if event.action == "Clone":  # the room may have gone meanwhile
        mind = structs.replace(mind, disk=structs.replace(mind.disk, fits=None))
    failures = mind.failures + 1
    wait_s = min(mind.timers.restart_s * 2 ** min(failures - 1, 8), mind.timers.restart_cap_s)
    return structs.replace(
        mind,
        doing=done(mind, event.action),
        failures=failures,
        retry_at_s=mind.now_s + wait_s,
        trouble=(event.action, event.reason),
    )


TAUGHT_BY_POSTGRES: Final[dict[type[ev.Event], Callable[[Mind, Any], Mind]]] = {
    ev.Booted: _booted,
    ev.Probed: _probed,
    ev.ProbeFailed: _probe_failed,
    ev.DiskSeen: _disk_seen,
    ev.PostgresStarted: _started,
    ev.StandbyAdmitted: _standby_admitted,
    ev.PostgresExited: _exited,
    ev.Promoted: _promoted,
    ev.NamesSet: _names_set,
    ev.WaitSeen: _wait_seen,
    ev.FenceWritten: _fence_written,
    ev.EpochKept: _epoch_kept,
    ev.TokenKept: _token_kept,
    ev.ClaimKept: _claim_kept,
    ev.StockTaken: _stock_taken,
    ev.Rewound: _rewound,
    ev.Cloned: _cloned,
    ev.Initialised: _initialised,
    ev.Checkpointed: _checkpointed,
    ev.WorkFinished: _work_finished,
    ev.ActionFailed: _action_failed,
}
