"""A primary behind its shut gate: its copy is shown to be whole before anybody follows it, by where
recovery ended and not by what it wrote since; then names, fence and barrier, and the gate opens.
"""

import pytest
from msgspec import structs

from cluster import actions as act
from cluster import events as ev
from cluster.opening import is_open
from cluster.states import State
from cluster.view import alarms_of
from tests.cluster.test_guards import known
from tests.cluster.test_machine import FIRST, HELD, SERVING, Node, confirmed, peer_beat, with_row


def restarted(*, remembered: int, written: int = 0) -> Node:
    """A primary that served alone comes back with a copy that ends at 100, and has since written
    ``written`` bytes behind its shut gate.
    """
    wrote = structs.replace(SERVING, flush_lsn=100 + written)
    node = Node("a", "b", HELD)
    node.feed(ev.RecordRead(FIRST, "n1"))
    bumped = node.swapped()
    node.feed(confirmed(bumped))
    node.feed(ev.PostgresStarted(as_standby=False, began_lsn=100))
    node.all([ev.Probed(wrote), ev.Probed(wrote)])
    assert node.mind.fence == 0, "nor is anything written for good"
    assert node.mind.state is State.PRIMARY_GATED, "the arbiter has not said how far it was"
    assert not admitted(node), "nor may anybody follow what may be an older copy"
    node.feed(ev.RelayHeard(None, remembered, "n1", bumped.epoch, node.now_s))
    node.feed(ev.Probed(wrote))
    return node


def admitted(node: Node) -> bool:
    return any(isinstance(one, act.AdmitStandby) for one in node.ordered)


@pytest.mark.parametrize("written", [0, 900])
def test_an_only_copy_that_was_set_back_is_not_served_and_rings(written: int) -> None:
    """Whatever it wrote since it was started does not make up for what it lacks."""
    node = restarted(remembered=500, written=written)
    assert node.mind.state is State.READING
    assert "StopPostgres" in node.mind.doing
    node.feed(ev.PostgresExited(0, asked=True))
    for _ in range(50):
        node.feed(ev.RecordRead(known(node.mind), "n1"), 0.1)
        assert not [one for one in node.ordered if isinstance(one, act.StartPrimary)]
    assert "snapshot" in alarms_of(node.mind)["set-back"]


def test_an_only_copy_that_reaches_all_it_had_is_served() -> None:
    node = restarted(remembered=100, written=900)
    assert admitted(node)
    node.all([ev.StandbyAdmitted(), ev.FenceWritten(1), ev.Probed(SERVING)])
    assert node.mind.state is State.PRIMARY_SOLO


@pytest.mark.parametrize(("sync", "state"), [("b", "STANDBY_SYNC"), ("", "STANDBY_CATCHUP")])
def test_a_primary_whose_standby_says_that_it_holds_more_is_not_served(
    sync: str, state: str
) -> None:
    """The arbiter may have heard less of it: its disk lied about the last moments before a fall."""
    node = Node("a", "b", HELD)
    node.feed(ev.RecordRead(structs.replace(FIRST, sync=sync, sync_gen=1), "n1"))
    node.feed(confirmed(node.swapped()))
    node.feed(ev.RelayHeard(None, 120, "n1", known(node.mind).epoch, node.now_s))
    node.feed(peer_beat(50, state, token=1, receive_lsn=140))
    node.feed(ev.PostgresStarted(as_standby=False, began_lsn=130))
    node.feed(ev.Probed(structs.replace(SERVING, flush_lsn=900)))
    assert node.mind.state is State.READING
    assert not admitted(node)
    assert (node.mind.disk.diverged, node.mind.disk.short_lsn) == (True, 0 if sync else 130)


STANDS_S = 0.7
"""After that what a standby has replayed stands."""


def at_rest(counter: int, lsn: int) -> ev.BeatHeard:
    """The standby in sync, whose walreceiver has nobody to stream from, holds so much."""
    return peer_beat(counter, "STANDBY_SYNC", token=1, receive_lsn=lsn, receiving=False)


@pytest.mark.parametrize(
    "silence",
    [
        ev.Tick(),
        peer_beat(51, "STANDBY_SYNC", token=1, receive_lsn=100, receiving=True),
        peer_beat(51, "STANDBY_SYNC", token=1, receive_lsn=0, receiving=False),
        peer_beat(51, "REJOIN_CHECK", token=1, receive_lsn=100, receiving=False),
    ],
)
def test_nobody_follows_before_the_standby_in_sync_has_said_how_far_it_is(
    silence: ev.Event,
) -> None:
    """It may hold what was acknowledged, and lost here, before the arbiter heard of that."""
    node = Node("a", "b", HELD)
    node.feed(ev.RecordRead(structs.replace(FIRST, sync="b", sync_gen=1), "n1"))
    node.feed(confirmed(node.swapped()))
    node.feed(ev.RelayHeard(None, 100, "n1", known(node.mind).epoch, node.now_s))
    node.feed(at_rest(50, 100))
    node.feed(ev.PostgresStarted(as_standby=False, began_lsn=100), 0.1)
    named = ev.NamesSet('ANY 1 ("b_1")')
    node.all([ev.Probed(SERVING), named, silence, ev.Probed(SERVING)])
    assert not admitted(node)
    node.all([at_rest(52, 100), ev.Probed(SERVING)])
    assert not admitted(node), "started itself, it may still replay what it holds"
    node.feed(ev.Probed(SERVING), STANDS_S)
    assert admitted(node)


def test_who_follows_is_ahead_of_the_last_probe_and_lacks_nothing() -> None:
    node = Node("a", "b", HELD)
    node.feed(ev.RecordRead(structs.replace(FIRST, sync="b", sync_gen=1), "n1"))
    node.feed(confirmed(node.swapped()))
    node.feed(ev.RelayHeard(None, 100, "n1", known(node.mind).epoch, node.now_s))
    node.feed(ev.PostgresStarted(as_standby=False, began_lsn=130))
    node.feed(at_rest(49, 130))
    node.feed(ev.Tick(), STANDS_S)
    node.all([ev.NamesSet('ANY 1 ("b_1")'), ev.Probed(SERVING), ev.StandbyAdmitted()])
    node.feed(peer_beat(50, "STANDBY_SYNC", token=1, receive_lsn=SERVING.flush_lsn + 90))
    node.feed(ev.Tick())
    assert node.mind.state is State.PRIMARY_GATED


def named_with_its_standby(held: ev.Holdings = HELD) -> Node:
    """Started behind the gate, with b in sync by record; b's name is set, nothing was probed."""
    node = Node("a", "b", held)
    node.feed(ev.RecordRead(structs.replace(FIRST, sync="b", sync_gen=1), "n1"))
    node.feed(confirmed(node.swapped()))
    node.feed(ev.RelayHeard(None, 100, "n1", known(node.mind).epoch, node.now_s))
    node.feed(ev.PostgresStarted(as_standby=False, began_lsn=100))
    node.feed(ev.NamesSet('ANY 1 ("b_1")'))
    return node


def test_the_fence_waits_until_the_copy_is_whole_and_the_gate_for_the_fence() -> None:
    """Whatever a probe sees before: an admission may have taken effect and not been answered."""
    node = named_with_its_standby()
    node.all([ev.Probed(SERVING), at_rest(50, 100)])
    node.feed(ev.Tick(), STANDS_S)
    assert admitted(node)
    node.feed(ev.ActionFailed("AdmitStandby", "no answer"))
    node.feed(with_row("b_1", 100), node.mind.timers.restart_s)
    assert not any(isinstance(one, act.WriteFence) for one in node.ordered)
    assert not is_open(node.mind)
    assert admitted(node), "asked again"
    node.feed(ev.StandbyAdmitted())
    assert act.WriteFence(1) in node.ordered
    node.all([ev.FenceWritten(1), with_row("b_1", 100)])
    assert is_open(node.mind)
