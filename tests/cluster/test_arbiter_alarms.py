"""What people are told of an arbiter that is not heard, or heard and not sure of itself."""

from msgspec import structs

from cluster import events as ev
from cluster.view import alarms_of
from tests.cluster.test_machine import HELD, Node, peer_beat


def node() -> Node:
    """A node that hears its arbiter."""
    it = Node("a", "b", HELD)
    it.feed(heard(it))
    return it


def heard(it: Node, doubt: str = "") -> ev.RelayHeard:
    return ev.RelayHeard(None, 0, "n1", 1, it.now_s, doubt)


def test_an_arbiter_heard_without_doubt_raises_nothing() -> None:
    assert alarms_of(node().mind) == {}


def test_silence_is_an_alarm_with_its_reason() -> None:
    it = node()
    it.feed(ev.ArbiterLost(why="connection refused"))
    it.feed(ev.Tick(0.0), it.mind.timers.takeover_s + 0.1)
    alarms = alarms_of(it.mind)
    assert list(alarms) == ["no-arbiter"]
    assert "connection refused" in alarms["no-arbiter"]


def test_a_node_that_hears_nobody_is_told_to_look_at_its_own_network() -> None:
    it = node()
    it.feed(peer_beat(1, "PRIMARY_SYNC"))
    it.feed(ev.Tick(0.0), it.mind.timers.takeover_s + 0.1)
    assert "a hears neither the arbiter nor b: look at its" in alarms_of(it.mind)["no-arbiter"]


def test_what_an_etcd_says_of_itself_is_an_alarm_at_once_and_ends_with_it() -> None:
    for kind in ("etcd-full", "etcd-too-old", "arbiter-other"):
        it = node()
        it.feed(ev.ArbiterLost(kind, "etcd at 10.0.0.7:2379: so it is"))
        assert "10.0.0.7" in alarms_of(it.mind)[kind]
        it.feed(heard(it))
        assert alarms_of(it.mind) == {}


def test_a_doubt_that_lasts_is_an_alarm() -> None:
    it = node()
    it.feed(heard(it, "b has not confirmed its epoch"))
    assert alarms_of(it.mind) == {}, "both confirm within a beat"
    it.feed(heard(it, "b has not confirmed its epoch"), it.mind.timers.takeover_s + 0.1)
    assert "b has not confirmed" in alarms_of(it.mind)["arbiter-unconfirmed"]


def test_a_record_that_was_set_back_is_an_alarm_at_once() -> None:
    it = node()
    it.feed(heard(it, "a node has seen a later epoch than is stored here (rolled back?)"))
    assert list(alarms_of(it.mind)) == ["arbiter-rolled-back"]
    it.mind = structs.replace(it.mind, doubt="", rolled_back=True)
    assert list(alarms_of(it.mind)) == ["arbiter-rolled-back"]
