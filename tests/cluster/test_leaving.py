"""SIGTERM of a primary: with a standby that is able it leaves as in a switchover, else it hands
over at once.
"""

from msgspec import structs

from cluster import actions as act
from cluster import events as ev
from cluster.opening import is_open
from cluster.states import State
from cluster.view import beat_of, standing
from tests.cluster.test_guards import known, told
from tests.cluster.test_machine import (
    FIRST,
    HELD,
    Node,
    confirmed,
    in_sync,
    primary_beat,
    standby_in_sync,
)
from tests.cluster.test_switchover import healthy


def leaving() -> Node:
    node = in_sync()
    healthy(node, 20)
    node.feed(ev.Leaving("it is updated"))
    return node


def stopped(clean_end_lsn: int) -> Node:
    node = leaving()
    node.feed(ev.WorkFinished())
    assert act.StopPostgres("fast", 2.0) in node.ordered
    node.feed(ev.PostgresExited(0, asked=True, clean_end_lsn=clean_end_lsn))
    return node


def test_what_was_begun_ends_behind_a_shut_gate_and_nobody_claims_yet() -> None:
    node = leaving()
    assert node.mind.state is State.DRAINING
    assert not is_open(node.mind)
    assert standing(node.mind, {}).finishing
    assert act.FinishWork() in node.ordered
    beat = beat_of(node.mind, 9, node.now_s)
    assert (beat.leaving, beat.handover, beat.drained_lsn) == ("it is updated", "", 0)


def test_stopped_in_order_it_says_how_far_the_standby_must_hold_and_waits_for_it() -> None:
    node = stopped(150)
    beat = beat_of(node.mind, 9, node.now_s)
    assert (beat.drained_lsn, beat.handover) == (150, "")
    node.feed(ev.Tick(), 0.5)
    assert act.Quit() not in node.ordered
    told(node, primary="b", term=2, sync="", opened=False, prev="a")
    assert act.Quit() in node.ordered


def test_it_does_not_wait_for_ever() -> None:
    node = stopped(150)
    node.feed(ev.Tick(), 1.1)
    assert act.Quit() in node.ordered


def test_what_did_not_stop_in_order_is_handed_over_at_once() -> None:
    node = stopped(-1)
    assert beat_of(node.mind, 9, node.now_s).handover == "shutting down: it is updated"


def test_without_an_able_standby_nothing_waits_for_it() -> None:
    node = in_sync()
    healthy(node, 20, healthy=False)
    node.feed(ev.Leaving("it is updated"))
    assert act.FinishWork() not in node.ordered
    assert beat_of(node.mind, 9, node.now_s).handover == "shutting down: it is updated"


def test_the_standby_claims_when_it_holds_all_and_without_waiting_for_silence() -> None:
    node = standby_in_sync()
    beat = primary_beat(1)
    left = structs.replace(beat, state="DRAINING", leaving="it is updated", drained_lsn=101)
    node.feed(ev.BeatHeard(0, left))
    assert node.mind.state is State.STANDBY_SYNC, "one byte is missing"
    node.feed(ev.BeatHeard(0, structs.replace(left, counter=2, drained_lsn=100)))
    claim = node.swapped()
    assert claim.reason == "a is shutting down in order: it is updated"
    assert claim.takeovers == known(node.mind).takeovers, "somebody asked for it"


def test_a_start_as_primary_is_stopped_once_the_standby_has_claimed() -> None:
    node = Node("a", "b", HELD)
    node.feed(ev.RecordRead(FIRST, "n1"))
    node.feed(confirmed(node.swapped()))
    assert "StartPrimary" in node.mind.doing
    node.feed(ev.Leaving("it is updated"))
    node.feed(ev.RecordRead(known(node.mind), "n1"))
    assert "StopPostgres" not in node.mind.doing, "named still: the start may end"
    told(node, primary="b", term=2, opened=False, prev="a")
    assert "StopPostgres" in node.mind.doing
