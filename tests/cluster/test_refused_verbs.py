"""A verb that is refused: the code and the reason of each thing that speaks against it."""

import pytest

from cluster import events as ev
from cluster.arbiter.register import ROLLED_BACK
from tests.cluster.test_machine import in_sync, peer_beat, primary_alone
from tests.cluster.test_switchover import NOON, ask, healthy


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"to": "c"}, "UNKNOWN_NODE"),
        ({"to": "a"}, "ALREADY"),
        ({"at": "tomorrow"}, "USAGE"),
        ({"at": str(int(NOON) - 5)}, "PAST"),
        ({"at": str(int(NOON) + 10**9)}, "TOO_FAR"),
        ({"epoch": "1"}, "CHANGED"),
        ({"epoch": ""}, "USAGE"),
        ({"incarnation": "9"}, "CHANGED"),
    ],
)
def test_what_cannot_be_is_refused_with_its_reason(said: dict[str, str], code: str) -> None:
    node = in_sync()
    healthy(node, 20)
    told = ask(node, "switchover", **said)
    assert told is not None
    assert (told.ok, told.code) == (False, code), told
    assert told.sentence.startswith("Not done: ")


@pytest.mark.parametrize(
    ("beat", "code"),
    [
        ({"replay_paused": True, "healthy": False}, "REPLAY_PAUSED"),
        ({"healthy": False}, "UNWELL"),
        ({"disk_free_mb": 10}, "DISK_FULL"),
    ],
)
def test_a_standby_that_cannot_take_it_now_is_told_by_what_ails_it(
    beat: dict[str, object], code: str
) -> None:
    node = in_sync()
    healthy(node, 20, **beat)
    told = ask(node, "switchover")
    assert told is not None
    assert (told.ok, told.code) == (False, code), told


def test_an_arbiter_that_was_set_back_is_not_asked() -> None:
    node = in_sync()
    healthy(node, 20)
    doubted = ev.RelayHeard(None, 100, "n1", 3, node.now_s, ROLLED_BACK)
    node.feed(doubted)
    told = ask(node, "pause")
    assert told is not None
    assert told.code == "ROLLED_BACK"


def test_a_primary_without_a_standby_refuses_and_says_what_to_wait_for() -> None:
    node = primary_alone()
    node.feed(ev.RelayHeard(None, 0, "n1", 2, node.now_s))
    told = ask(node, "switchover")
    assert told is not None
    assert (told.code, "Bring it back" in told.sentence) == ("NOT_HEARD", True)
    node.feed(peer_beat(20, "STANDBY_CATCHUP", epoch=2))
    told = ask(node, "switchover")
    assert told is not None
    assert (told.code, "b is not in sync" in told.sentence) == ("NOT_IN_SYNC", True)
