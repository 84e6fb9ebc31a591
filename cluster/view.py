"""What others see of a node's mind: the standing, the beat, the alarms.

All of it is derived, never ordered, so that it cannot lag behind a decision. Alone only by a
record that has no sync standby and cannot come to have one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cluster import record as records
from cluster.arbiter.register import ROLLED_BACK
from cluster.fitness import complaints, lasting
from cluster.heartbeat import only_links_cut
from cluster.mind import Mind
from cluster.opening import is_open
from cluster.postgres.lsn import format_lsn
from cluster.standing import Standing
from cluster.states import State
from protocols.peer import NodeBeat, Record

HURRIED: Final = frozenset({State.PRIMARY_GATED, State.SYNC_ENTRY, State.PROMOTING})
"""States that end as soon as a probe sees it: probes follow each other closely (and a standby's
while its primary drains).
"""
FAILING: Final = 2
"""Once may happen to anybody: a peer that has just gone. Twice in a row is told."""
HURRIED_PROBE_S: Final = 0.01
PROBE_S: Final = 0.1
AT_REST: Final = frozenset({State.PRIMARY_SYNC, State.STANDBY_SYNC})
REST_S: Final = 1.0
"""In sync and without work for this long: probes may be rarer, nobody waits for what they see."""
RESTING_PROBE_S: Final = 0.2
"""Once a beat: more often nobody would be told."""


def is_alone(mind: Mind) -> bool:
    """This node may acknowledge without a standby."""
    return mind.state is State.PRIMARY_SOLO and mind.alone_for_sure and is_open(mind)


def acknowledging_name(mind: Mind) -> str:
    """The application name whose flush acknowledges ('' none)."""
    record = mind.record
    if record is None or not mind.named:
        return ""
    if mind.entry is not None:
        return records.sync_name(mind.peer, mind.entry.generation)
    return records.sync_name(record.sync, record.sync_gen) if record.sync else ""


def standing(mind: Mind, addresses: Mapping[str, str]) -> Standing:
    """Where this node stands; ``addresses``: node → where its terminals connect."""
    record = mind.record
    primary = record.primary if record is not None else ""
    switching = mind.state is State.DRAINING and mind.switch is not None
    two = record is not None and record.sync != "" and mind.state is not State.PRIMARY_STALLED
    return Standing(
        node=mind.me,
        state=mind.state,
        epoch=record.epoch if record is not None else 0,
        term=record.term if record is not None else 0,
        open=is_open(mind),
        alone=is_alone(mind),
        sync_name="" if is_alone(mind) else acknowledging_name(mind),
        primary=primary,
        where=addresses.get(mind.peer if switching else primary, ""),
        copies=2 if two else 1,
        reason=mind.reason,
        finishing=switching and "FinishWork" in mind.doing,
        postmaster_start=mind.facts.postmaster_start if mind.facts is not None else 0,
    )


def beat_of(
    mind: Mind, counter: int, now_s: float, *, loop_lag_ms: int = 0, disk_free_mb: int = -1
) -> NodeBeat:
    """The beat to send now; ``counter`` grows by one with every beat of this process."""
    facts, record, disk = mind.facts, mind.record, mind.disk
    known = record or disk.record
    heard_s = now_s - mind.hearing.peer_at_s
    age_s = now_s - mind.facts_at_s
    return NodeBeat(
        node=mind.me,
        boot=mind.boot,
        counter=counter,
        incarnation=record.incarnation if record is not None else disk.incarnation,
        epoch=max(record.epoch if record is not None else 0, disk.epoch),
        term=known.term if known is not None else 0,
        state=mind.state,
        system_id=disk.system_id,
        tli=disk.tli,
        flush_lsn=facts.flush_lsn if facts is not None else 0,
        receive_lsn=mind.held_lsn if facts is not None and facts.in_recovery else 0,
        replay_lsn=facts.replay_lsn if facts is not None else 0,
        healthy=_healthy(mind, age_s),
        probe_age_ms=int(age_s * 1000) if facts is not None else -1,
        loop_lag_ms=loop_lag_ms,
        disk_free_mb=disk_free_mb,
        heard_ms=int(heard_s * 1000) if heard_s < 1e6 else -1,
        postmaster_start=facts.postmaster_start if facts is not None else 0,
        token=disk.token,
        offered=mind.entry.generation if mind.entry is not None and mind.entry.offered else 0,
        leaving=mind.leaving,
        handover=mind.handover,
        vouched_lsn=_vouched_lsn(mind),
        drained_lsn=drained_lsn(mind),
        ground=facts.ground if facts is not None else None,
        receiving=facts is not None and facts.receiver_streaming,
        replay_paused=facts is not None and facts.replay_paused,
        began_lsn=mind.life_began_lsn,
    )


def _healthy(mind: Mind, age_s: float) -> bool:
    """PostgreSQL answers; hunger of the whole machine is no illness for as long as it is borne."""
    borne_s = mind.timers.starved_s if mind.starved else mind.timers.fresh_s
    paused = mind.facts is not None and mind.facts.replay_paused
    return mind.up and age_s <= borne_s and not paused


def drained_lsn(mind: Mind) -> int:
    """Where the WAL of this primary ends that was stopped in order for a switchover, else 0."""
    draining = mind.state is State.DRAINING and mind.switch is not None and not mind.touched
    return max(0, mind.disk.clean_end_lsn) if draining else 0


def _vouched_lsn(mind: Mind) -> int:
    """How far what is acknowledged is known to be flushed: by the standby, or here if alone."""
    if is_alone(mind):
        return mind.held_lsn
    generation, flush_lsn = mind.vouched
    record = mind.record
    present = record is not None and mind.named and record.sync_gen == generation
    return flush_lsn if present and record is not None and record.sync else 0


def probe_every_s(mind: Mind) -> float:
    """How soon after the end of one probe the next should begin."""
    beat = mind.beat
    drains = beat is not None and beat.state == State.DRAINING
    hurried = mind.state in HURRIED or (mind.state is State.STANDBY_SYNC and drains)
    if hurried:
        return HURRIED_PROBE_S
    resting = mind.state in AT_REST and mind.now_s - mind.moved_at_s > REST_S
    return RESTING_PROBE_S if resting else PROBE_S


def alarms_of(mind: Mind) -> dict[str, str]:
    """What people must know now: the runbook's name of each alarm, and its sentence."""
    alarms = {} if mind.in_maintenance(mind.peer) else _peer_alarms(mind)
    if mind.state is State.ISOLATED:
        alarms["isolated"] = (
            "No link to the arbiter nor to the peer is alive both ways; nothing is served."
        )
    if mind.state is State.FAULT:
        alarms["fault"] = mind.reason
    if mind.starved and mind.up:
        alarms["starved"] = f"{mind.me} waits for processors or disks: the machine is saturated."
    alarms |= disk_alarms(mind)
    if mind.unkept:
        alarms["cannot-keep"] = f"{mind.me} cannot write its own folder: {mind.unkept}"
    if mind.record is not None and mind.record.capped:
        alarms["takeovers-capped"] = _capped(mind, mind.record)
    alarms |= _arbiter_alarms(mind) | _unfit_alarm(mind)
    if mind.reach.ahead_lsn:
        end = format_lsn(mind.reach.ahead_lsn)
        alarms["copy-ahead"] = (
            f"{mind.me} had replayed up to {end}, more than {mind.peer} had when its PostgreSQL"
            f" began: the disk of {mind.peer} lost what it had confirmed."
        )
    order, reason = mind.trouble
    if order and mind.failures >= FAILING:
        alarms["keeps-failing"] = f"{order} fails again and again on {mind.me}: {reason}"
    if mind.called_off and mind.now_s - mind.called_off_at_s < mind.timers.told_s:
        alarms["switchover-aborted"] = mind.called_off
    return alarms | _unable_alarms(mind)


def _capped(mind: Mind, record: Record) -> str:
    """What is left after the takeover that reached the cap, and until when."""
    other = mind.peer if record.primary == mind.me else mind.me
    left = f"One copy is left, on {record.primary}; what died on {other} stays down."
    return (
        f"Automatic takeovers within an hour: {len(record.takeovers)}. The cluster has paused"
        f" itself. {'Two copies are in sync.' if record.sync else left} No automatic takeover"
        " until 'mpower cluster resume'."
    )


def _unable_alarms(mind: Mind) -> dict[str, str]:
    """Why this node does not serve though it is named, or should take over."""
    alarms: dict[str, str] = {}
    if mind.named and mind.disk.diverged and not mind.sync_possible:
        alarms["set-back"] = (
            f"{mind.me} was the only copy and lacks what was acknowledged (a restored snapshot?)."
        )
    if mind.state in {State.READING, State.PROMOTING} and mind.handover:
        alarms["cannot-serve"] = f"{mind.me} cannot serve: {mind.handover}"
    return alarms


def _peer_alarms(mind: Mind) -> dict[str, str]:
    """What is missed of the peer, while nobody works on it."""
    alarms: dict[str, str] = {}
    if mind.state is State.PRIMARY_SOLO:
        do = f"Bring {mind.peer} back."
        if mind.peer_linked and mind.beat is not None:
            do = f"{mind.peer} is {mind.beat.state}: mpower cluster explain."
        if only_links_cut(mind.hearing, mind.now_s, mind.timers.suspect_s):
            do = f"{mind.peer} lives, but no link to it carries anything: mend the links."
        alarms["one-copy"] = f"{mind.me} serves alone: one copy. {do}"
    elif _only_streams(mind):
        alarms["peer-silent"] = (
            f"{mind.peer} sends no beats, though its PostgreSQL copies: it would not take over."
        )
    return alarms


def _only_streams(mind: Mind) -> bool:
    """The standby's copy is well, and nobody watches over it there."""
    lasting_s = mind.timers.takeover_s
    settled = mind.named and mind.now_s - mind.since_s >= lasting_s
    return settled and mind.peer_streams and mind.peer_silent(lasting_s)


def disk_alarms(mind: Mind) -> dict[str, str]:
    """What is wrong with this node's disk."""
    alarms: dict[str, str] = {}
    seen = mind.disk_seen
    why = f": {seen.why}" if seen.why else ""
    if seen.condition == "low":
        alarms["disk-low"] = f"The disk of {mind.me} fills up{why}."
    elif seen.condition == "slow":
        alarms["disk-slow"] = f"The disk of {mind.me} is slow{why}."
    elif seen.condition == "full":
        alarms["disk-full"] = f"The disk of {mind.me} is full{why}."
    elif mind.disk_seen.dead:
        alarms["disk-dead"] = f"The disk of {mind.me} is {seen.condition}{why}."
    return alarms


def _unfit_alarm(mind: Mind) -> dict[str, str]:
    alarms: dict[str, str] = {}
    unfit = lasting(complaints(mind))
    if unfit:
        alarms["unfit"] = " ".join(f"{one.why[0].upper()}{one.why[1:]}." for one in unfit)
    return alarms


def _arbiter_alarms(mind: Mind) -> dict[str, str]:
    alarms: dict[str, str] = {}
    if mind.rolled_back or ROLLED_BACK in mind.doubt:
        alarms["arbiter-rolled-back"] = (
            "The arbiter's record is older than what a node has seen, or another cluster's. "
            "Nothing is decided on it. Rebuild the arbiter."
        )
    elif mind.record is not None and mind.record.moved:
        alarms["arbiter-moved"] = (
            "Nobody may take over or go alone: the record was moved to"
            f" {mind.record.moved}, and is not there yet."
        )
    elif mind.doubt and mind.now_s - mind.undoubted_at_s > mind.timers.takeover_s:
        alarms["arbiter-unconfirmed"] = f"Nobody may take over or go alone: {mind.doubt}."
    if mind.state is not State.INIT and mind.now_s - mind.arbiter_at_s > mind.timers.takeover_s:
        why = f" ({mind.arbiter_why})" if mind.arbiter_why else ""
        who = "The arbiter is not heard"
        if not mind.peer_linked and mind.hearing.beat is not None:
            who = f"{mind.me} hears neither the arbiter nor {mind.peer}: look at its network"
        alarms["no-arbiter"] = f"{who}: no failover protection{why}."
    if mind.arbiter_alarm == "etcd-full":
        alarms["etcd-full"] = f"etcd takes no more writes: {mind.arbiter_why}."
    if mind.arbiter_alarm == "etcd-too-old":
        alarms["etcd-too-old"] = f"Not asked: {mind.arbiter_why}."
    if mind.arbiter_alarm == "arbiter-other":
        alarms["arbiter-other"] = f"Not believed: {mind.arbiter_why}."
    return alarms
