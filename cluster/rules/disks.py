"""A primary whose disk is full or dead hands over before its PostgreSQL falls over it.

Only to a standby that can take over at once: alone, a server on a full disk is better than none,
and serves until PostgreSQL itself cannot. What is down on such a disk is not started again and
again (``DiskSeen.bad`` holds it back in ``reading`` and ``standby``); when the disk is well, all
goes on by itself. A dead disk's server is stopped at once: it can acknowledge nothing. A full one's
is left to finish until the record names the other.
"""

from __future__ import annotations

from typing import Final

from msgspec import structs

from cluster import actions as act
from cluster import events as ev
from cluster.mind import Mind
from cluster.rules.primary import ANY_PRIMARY
from cluster.rules.rule import PEER, Outcome, Rule, hand_over
from cluster.safety import MIN_FREE_MB
from cluster.states import State

SENTENCES: Final = {
    "full": "its disk is full",
    "read-only": "its disk is read-only",
    "failing": "its disk fails",
    "hung": "its disk does not answer",
}


def successor_ready(mind: Mind) -> bool:
    """The record's standby says that it may take over, and is better off than this node."""
    beat, record = mind.beat, mind.record
    if beat is None or record is None or not (record.sync == mind.peer and mind.settled):
        return False
    forbidden = record.paused or record.maintenance == mind.peer
    able = beat.state == State.STANDBY_SYNC and beat.healthy and beat.epoch >= record.epoch
    roomy = beat.disk_free_mb < 0 or beat.disk_free_mb >= MIN_FREE_MB
    heard = mind.peer_linked and mind.arbiter_heard
    return heard and able and roomy and not forbidden and not (beat.leaving or beat.handover)


def disk_bad(mind: Mind, event: ev.Event) -> bool:
    """The disk is full or dead, the standby is ready, and was not just offered the record."""
    rested = mind.now_s - mind.offered_at_s >= mind.timers.progress_s
    return mind.disk_seen.bad and rested and mind.swap is None and successor_ready(mind)


def give_up_disk(mind: Mind, event: ev.Event) -> Outcome:
    """Shut the gate; the standby may claim at once."""
    condition = mind.disk_seen.condition
    mind = structs.replace(mind, offered_at_s=mind.now_s)
    if condition == "full":
        return hand_over(mind, SENTENCES[condition])
    return hand_over(mind, SENTENCES[condition], act.StopPostgres("immediate"))


ROWS: Final = (
    Rule(
        ANY_PRIMARY,
        (ev.DiskSeen, *PEER),
        disk_bad,
        State.READING,
        give_up_disk,
        "The disk here is full or dead; gate shut, {peer} may take over at once.",
    ),
)
