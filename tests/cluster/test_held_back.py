"""What is held back, and borne: on a disk that keeps nothing, on a machine that starves, without an
arbiter.
"""

import pytest
from msgspec import structs

from cluster import actions as act
from cluster import events as ev
from cluster.opening import is_open
from cluster.states import State
from cluster.view import beat_of
from tests.cluster.test_machine import (
    FIRST,
    HELD,
    SERVING,
    Node,
    confirmed,
    in_sync,
    peer_beat,
    primary_beat,
    standby_in_sync,
)


def test_nothing_is_asked_on_an_epoch_that_is_not_on_the_disk_and_the_write_is_tried_again() -> (
    None
):
    node = Node("a", "b", structs.replace(HELD, epoch=0, incarnation=0))
    node.keeps = False
    assert act.KeepEpoch(1, 1, FIRST) in node.feed(ev.RecordRead(FIRST, "n1"))
    assert not any(isinstance(one, act.SwapRecord) for one in node.ordered)
    node.feed(ev.ActionFailed("KeepEpoch", "no space left on device"))
    node.feed(ev.Tick())
    assert node.mind.alarms == ("cannot-keep",)
    assert act.KeepEpoch(1, 1, FIRST) in node.feed(ev.Tick(), node.mind.timers.restart_s)
    assert act.KeepEpoch(1, 1, FIRST) not in node.feed(ev.Tick()), "one write at a time"
    node.feed(ev.EpochKept(1, 1))
    assert node.swapped().epoch == 2
    node.feed(ev.Tick())
    assert "cannot-keep" not in node.mind.alarms


def test_a_copy_that_did_not_agree_is_marked_even_if_the_first_write_failed() -> None:
    node = standby_in_sync()
    node.keeps = False
    assert node.mind.record is not None
    other = structs.replace(node.mind.record, incarnation=2, epoch=9, consented=("a",))
    orders = [
        one for one in node.feed(ev.RecordRead(other, "n1")) if isinstance(one, act.KeepEpoch)
    ]
    assert [one.excluded for one in orders] == [True]
    node.feed(ev.ActionFailed("KeepEpoch", "input/output error"))
    again = [one for one in node.feed(ev.Tick(), 1.0) if isinstance(one, act.KeepEpoch)]
    assert [one.excluded for one in again] == [True]


def test_nobody_leaves_recovery_before_the_claim_is_on_the_disk() -> None:
    node = standby_in_sync()
    node.feed(ev.BeatHeard(0, primary_beat(3, "postmaster died")))
    node.feed(confirmed(node.swapped()))
    assert node.mind.state is State.PROMOTING
    node.feed(ev.ActionFailed("KeepClaim", "no space left on device"))
    assert not any(isinstance(one, act.Promote) for one in node.ordered)
    assert node.mind.handover, "the previous primary may take the claim back"
    again = node.feed(ev.Tick(), 1.0)
    kept = [one for one in again if isinstance(one, act.KeepClaim)]
    assert kept
    assert any(isinstance(one, act.Promote) for one in node.feed(ev.ClaimKept(kept[0].op_id)))


def test_a_starved_machine_is_borne_up_to_its_cap_and_its_beat_stays_healthy() -> None:
    node = in_sync()
    begun_s = node.now_s
    while node.mind.state is not State.READING:
        node.feed(ev.ProbeFailed("deadline", starved=True), 0.1)
        node.feed(ev.RelayHeard(None, 0, "n1", 3, node.now_s))
        node.feed(ev.Tick())
        if 2.0 < node.now_s - begun_s < 15.0:
            assert beat_of(node.mind, 1, node.now_s).healthy
            assert "starved" in node.mind.alarms
    assert node.now_s - begun_s == pytest.approx(node.mind.timers.starved_s, abs=1.0)
    assert "does not answer" in node.mind.handover


FOLLOWED = structs.replace(HELD, was_primary=False, epoch=2)
RECOVERING = structs.replace(SERVING, in_recovery=True, flush_lsn=0, receive_lsn=100)
NOBODY = act.StartStandby("", 0)


def without_arbiter(found: ev.Holdings) -> Node:
    node = Node("a", "b", found)
    for _ in range(30):
        node.all([ev.ReadFailed(), ev.ArbiterLost()])
        if NOBODY in node.feed(ev.Tick(), 0.1):
            break
    return node


def test_without_an_arbiter_a_standby_s_copy_is_started_and_follows_nobody() -> None:
    node = without_arbiter(FOLLOWED)
    assert NOBODY in node.ordered
    node.all([ev.PostgresStarted(as_standby=True), ev.Probed(RECOVERING)])
    node.feed(ev.Tick(), 30.0)
    assert (node.mind.state, is_open(node.mind)) == (State.READING, False)
    assert not any(isinstance(one, act.SwapRecord | act.Promote) for one in node.ordered)


@pytest.mark.parametrize("more", [{"was_primary": True}, {"torn": True}, {"epoch": 0}])
def test_without_an_arbiter_no_other_copy_is_started(more: dict[str, bool]) -> None:
    node = without_arbiter(ev.Holdings(**{**structs.asdict(FOLLOWED), **more}))
    assert NOBODY not in node.ordered


def test_the_record_decides_what_becomes_of_a_copy_that_waited_for_it() -> None:
    mine = structs.replace(FIRST, epoch=3, opened=False, prev="b", term=2)
    node = without_arbiter(FOLLOWED)
    node.all([ev.PostgresStarted(as_standby=True), ev.Probed(RECOVERING)])
    node.feed(ev.RecordRead(mine, "n1"))
    assert node.mind.state is State.PROMOTING
    assert act.KeepClaim("first") in node.ordered
    node = without_arbiter(FOLLOWED)
    node.all([ev.PostgresStarted(as_standby=True), ev.Probed(RECOVERING)])
    node.feed(ev.RecordRead(structs.replace(FIRST, epoch=3, primary="b"), "n1"))
    assert any(isinstance(one, act.StopPostgres) for one in node.ordered)


def test_who_was_waited_for_in_vain_is_not_waited_for_again_before_it_has_flushed() -> None:
    node = in_sync()
    behind = ev.Walsender("b_1", "streaming", 100, replay_lsn=100)
    waits = structs.replace(SERVING, flush_lsn=150, names='ANY 1 ("b_1")', oldest_sync_wait_s=1.0)
    for _ in range(20):
        node.feed(ev.RelayHeard(None, 0, "n1", 3, node.now_s))
        node.feed(ev.Probed(structs.replace(waits, walsenders=(behind,))), 0.1)
        if node.mind.state is State.GOING_SOLO:
            break
    node.feed(confirmed(node.swapped()))
    node.feed(ev.NamesSet(""))
    assert node.mind.state is State.PRIMARY_SOLO
    for flushed, state in ((100, State.PRIMARY_SOLO), (150, State.SYNC_ENTRY)):
        row = structs.replace(behind, flush_lsn=flushed)
        epoch = node.mind.kept[1]
        node.feed(peer_beat(60 + flushed, "STANDBY_CATCHUP", epoch=epoch))
        node.feed(ev.Probed(structs.replace(SERVING, flush_lsn=150, walsenders=(row,))))
        assert node.mind.state is state, f"flushed to {flushed}"
