"""When a primary shuts its gate because nobody may miss it: a link counts only while it is alive
both ways, and a standby that takes our log is heard whatever its beats say.
"""

import pytest

from cluster import events as ev
from cluster.opening import is_open
from cluster.states import State
from tests.cluster.test_machine import SERVING, Node, in_sync, peer_beat, with_row

BEAT_S = 0.2


NOBODY_STREAMS = ev.Probed(SERVING)


def isolated(node: Node) -> bool:
    return node.mind.state is State.ISOLATED


def after_beats(node: Node, for_s: float, heard_ms: int, probed: ev.Event = NOBODY_STREAMS) -> Node:
    """The arbiter is gone; the peer's beats go on coming and say when it last heard us."""
    until_s = node.now_s + for_s
    while node.now_s < until_s:
        counter = round(node.now_s * 1000)
        node.feed(peer_beat(counter, "STANDBY_SYNC", heard_ms=heard_ms), BEAT_S)
        node.all([probed, ev.Tick()])
    return node


@pytest.mark.parametrize("heard_ms", [-1, 600, 5000])
def test_a_peer_that_does_not_hear_us_is_no_company(heard_ms: int) -> None:
    node = after_beats(in_sync(), 3.5, heard_ms)
    assert not isolated(node)
    after_beats(node, 1.0, heard_ms)
    assert isolated(node)
    assert not is_open(node.mind)
    after_beats(node, 2.0, heard_ms)
    assert isolated(node), "its beats alone are not 'somebody back'"


def test_a_peer_that_hears_us_is_company_and_ends_the_isolation() -> None:
    node = after_beats(in_sync(), 8.0, 100)
    assert not isolated(node)
    after_beats(node, 5.0, -1)
    assert isolated(node)
    after_beats(node, 0.5, 100)
    assert node.mind.state is State.READING


def test_an_ill_peer_that_hears_us_is_company() -> None:
    node = in_sync()
    for counter in range(10, 50):
        node.feed(peer_beat(counter, "STANDBY_SYNC", healthy=False), BEAT_S)
        node.all([NOBODY_STREAMS, ev.Tick()])
    assert not isolated(node)


def test_a_peer_that_takes_our_log_is_company_though_it_hears_no_beat() -> None:
    node = after_beats(in_sync(), 8.0, -1, with_row("b_1", 100))
    assert node.mind.state is State.PRIMARY_SYNC
