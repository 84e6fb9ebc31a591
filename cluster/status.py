"""What a node says of itself to an operator: one object, the same for people and for programs.

Reported is what this node believes; recorded is what the arbiter holds as last read here. It shows
and never changes anything.
"""

from __future__ import annotations

from typing import Any

import msgspec

from cluster.chronicle import Chronicle
from cluster.countdown import countdown_of
from cluster.fitness import complaints, told
from cluster.link import LinkView
from cluster.mind import Mind
from cluster.plan import plan_of
from cluster.rules.claimable import hindrance
from cluster.standing import Standing
from cluster.states import STANDBYS, role_of
from cluster.view import alarms_of

HISTORY_LINES = 60
"""Lines of history in a status answer: some takeovers; the log has the rest."""


def lag_bytes(mind: Mind) -> int:
    """How far a standby's copy is behind what its peer last said it had flushed; 0 if unknown."""
    beat = mind.hearing.beat
    if mind.state not in STANDBYS or beat is None or not beat.flush_lsn:
        return 0
    return max(0, beat.flush_lsn - mind.held_lsn)


def status_of(
    mind: Mind,
    standing: Standing,
    chronicle: Chronicle,
    links: list[LinkView],
    busy: str,
    arbiter_beats: str,
) -> dict[str, Any]:
    """The answer to ``status``, writable as JSON. ``arbiter_beats``: the strip of its answers."""
    record = mind.record
    beat = mind.hearing.beat
    return {
        **_names(mind),
        "state": mind.state,
        "role": role_of(mind.state),
        "epoch": record.epoch if record else mind.disk.epoch,
        "term": record.term if record else 0,
        "tli": mind.disk.tli,
        "open": standing.open,
        "alone": standing.alone,
        "copies": standing.copies,
        "reason": standing.reason,
        "sync_name": standing.sync_name,
        "where": standing.where,
        **_positions(mind),
        "lag_bytes": lag_bytes(mind),
        "healthy": mind.facts_fresh,
        "busy": busy,
        "peer_heard_ms": _ago_ms(mind.now_s, mind.hearing.peer_at_s),
        "peer_state": beat.state if beat else "",
        "arbiter_heard_ms": _ago_ms(mind.now_s, mind.arbiter_at_s),
        "arbiter_beats": arbiter_beats,
        "countdown": countdown_of(mind),
        "links": links,
        "alarms": _alarms_now(mind, chronicle),
        "hindrance": hindrance(mind) if mind.state in STANDBYS else "",
        "record": record,
        "kept_record": mind.disk.record,
        **_reservations(mind),
        "history": _lines(chronicle),
    }


def _names(mind: Mind) -> dict[str, Any]:
    return {"node": mind.me, "peer": mind.peer, "cluster": mind.cluster_id}


def _alarms_now(mind: Mind, chronicle: Chronicle) -> dict[str, str]:
    """The alarms that stand. An alarm is raised once, and what it says may change meanwhile."""
    return {kind: alarms_of(mind).get(kind, text) for kind, text in chronicle.alarms.items()}


def _reservations(mind: Mind) -> dict[str, Any]:
    """Why the arbiter, or this node, does not let the other one be counted on; what is planned."""
    plan = plan_of(mind.record)
    planned = plan._asdict() if plan is not None else None
    return {"doubt": mind.doubt, "unfit": told(complaints(mind)), "planned": planned}


def _lines(chronicle: Chronicle) -> list[dict[str, Any]]:
    return [msgspec.structs.asdict(line) for line in list(chronicle.lines)[-HISTORY_LINES:]]


def _positions(mind: Mind) -> dict[str, int]:
    facts = mind.facts
    return {
        "flush_lsn": facts.flush_lsn if facts else 0,
        "receive_lsn": facts.receive_lsn if facts else 0,
        "replay_lsn": facts.replay_lsn if facts else 0,
    }


def _ago_ms(now_s: float, at_s: float) -> int:
    return -1 if at_s == float("-inf") else max(0, round((now_s - at_s) * 1000))
