"""What a node counts towards, and that it counts towards nothing that would not happen."""

import pytest
from msgspec import structs

from cluster import record as records
from cluster.countdown import Countdown, countdown_of
from cluster.heartbeat import Hearing
from cluster.machine import begin
from cluster.mind import Disk, Mind
from cluster.states import State
from cluster.timers import Timers
from protocols.peer import Record

NOW_S = 100.0
FIRST = records.first("city", "s1", "a", "first")
SYNCED: Record = records.synced(FIRST, "a", "sync", peer="b", generation=1, barrier=1)


def silent(links_s: float, arbiter_s: float) -> Hearing:
    """The peer was heard that long ago on links; its counter at the arbiter stands still so
    long.
    """
    return Hearing(
        good_at_s=NOW_S - links_s,
        both_at_s=NOW_S - links_s,
        peer_at_s=NOW_S - links_s,
        counter_at_s=NOW_S - arbiter_s,
        still_asked_s=NOW_S,
    )


def mind_of(me: str, state: State, record: Record | None, hearing: Hearing, **more: object) -> Mind:
    peer = "b" if me == "a" else "a"
    mind = begin(me, peer, "city", "boot", timers=Timers(), now_s=0.0)
    known = {"settled": True, "disk": Disk(token=1), "arbiter_at_s": NOW_S, **more}
    return structs.replace(
        mind,
        state=state,
        record=record,
        hearing=hearing,
        now_s=NOW_S,
        since_s=NOW_S - 0.25,
        **known,
    )


@pytest.mark.parametrize(
    ("mind", "shown"),
    [
        (mind_of("b", State.STANDBY_SYNC, SYNCED, silent(0.5, 0.5)), Countdown("takeover", 1500)),
        (mind_of("b", State.STANDBY_SYNC, SYNCED, silent(9.0, 9.0)), Countdown("takeover", 0)),
        (mind_of("b", State.STANDBY_SYNC, SYNCED, silent(9.0, 1.0)), Countdown("takeover", 1000)),
        (mind_of("a", State.PRIMARY_STALLED, SYNCED, silent(0.1, 0.1)), Countdown("solo", 750)),
        (
            mind_of("a", State.PRIMARY_SYNC, SYNCED, silent(3.0, 3.0), arbiter_at_s=NOW_S - 2.5),
            Countdown("isolation", 1500),
        ),
    ],
)
def test_what_comes_is_counted(mind: Mind, shown: Countdown) -> None:
    assert countdown_of(mind) == shown


PAUSED = records.paused(SYNCED, "a", "p", "by ops1", pause=True)
STRICT = structs.replace(SYNCED, strict=True)


@pytest.mark.parametrize(
    "mind",
    [
        mind_of("b", State.STANDBY_SYNC, SYNCED, silent(0.3, 0.3)),
        mind_of("b", State.STANDBY_SYNC, SYNCED, silent(9.0, 0.1)),
        mind_of("b", State.STANDBY_SYNC, SYNCED, silent(9.0, 9.0), disk=Disk(token=9)),
        mind_of("b", State.STANDBY_SYNC, PAUSED, silent(9.0, 9.0)),
        mind_of("b", State.STANDBY_SYNC, None, silent(9.0, 9.0)),
        mind_of("b", State.STANDBY_CATCHUP, FIRST, silent(9.0, 9.0)),
        mind_of("a", State.PRIMARY_SYNC, SYNCED, silent(0.1, 0.1)),
        mind_of("a", State.PRIMARY_STALLED, STRICT, silent(0.1, 0.1)),
        mind_of("a", State.PRIMARY_SOLO, FIRST, silent(9.0, 9.0), arbiter_at_s=0.0),
    ],
)
def test_what_would_not_happen_is_not_counted(mind: Mind) -> None:
    assert countdown_of(mind) is None
