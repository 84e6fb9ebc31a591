"""A standby that had replayed an end which its restarted primary lost: it is not counted on, and it
is replaced, with a sentence.
"""

import pytest
from msgspec import structs

from cluster import actions as act
from cluster import events as ev
from cluster.states import State
from cluster.view import alarms_of, beat_of
from protocols.peer import NodeBeat
from tests.cluster.test_machine import (
    FIRST,
    HELD,
    SERVING,
    Node,
    in_entry,
    offered,
    peer_beat,
    primary_alone,
)

ALONE = ev.Facts(
    in_recovery=True,
    system_id="s1",
    tli=1,
    flush_lsn=0,
    receive_lsn=200,
    replay_lsn=200,
    postmaster_start=5,
    names="",
)
"""A standby that nothing streams to, and that has replayed up to 200."""


def life(counter: int, started: int, began_lsn: int, **more: object) -> ev.BeatHeard:
    """The primary, serving alone, tells when and where its server began."""
    beat = NodeBeat("a", "a1", counter, 1, 1, 1, "PRIMARY_SOLO", healthy=True, heard_ms=5)
    beat = structs.replace(beat, system_id="s1", tli=1, postmaster_start=started)
    return ev.BeatHeard(0, structs.replace(beat, began_lsn=began_lsn, **more))


def following(*events: ev.Event) -> Node:
    """A standby not in sync that follows a, whose server began at 50, and what came then."""
    node = Node("b", "a", structs.replace(HELD, was_primary=False))
    node.feed(ev.RecordRead(FIRST, "n1"))
    node.feed(ev.PostgresStarted(as_standby=True))
    node.all([life(1, 1, 50), ev.Probed(ALONE), ev.Tick()])
    assert node.mind.state is State.STANDBY_CATCHUP
    assert not node.mind.reach.ahead_lsn, "the first life that is met is believed"
    node.all([*events, ev.Tick()])
    return node


def test_a_copy_that_had_replayed_more_than_the_primary_began_with_is_replaced_and_rings() -> None:
    node = following(life(2, 2, 180))
    assert node.mind.state is State.RECLONING
    assert act.StopPostgres("immediate") in node.ordered
    assert "lost its end" in node.mind.reason
    assert "0/C8" in alarms_of(node.mind)["copy-ahead"]
    node.all([ev.PostgresExited(0, asked=True), ev.Tick(), ev.StockTaken(True)])
    node.feed(life(3, 2, 180))
    assert act.Clone("a", True) in node.ordered
    node.feed(ev.Cloned("s1"))
    assert "copy-ahead" not in alarms_of(node.mind)


@pytest.mark.parametrize(
    "heard",
    [
        life(2, 2, 200),
        life(2, 1, 50),
        life(2, 2, 0),
        life(2, 2, 180, tli=2),
        life(2, 2, 180, system_id="s2"),
        life(2, 2, 180, state="PRIMARY_GATED"),
    ],
)
def test_a_copy_that_held_no_more_or_may_be_the_better_one_stays(heard: ev.BeatHeard) -> None:
    assert following(heard).mind.state is State.STANDBY_CATCHUP


def test_what_was_received_of_the_new_life_before_its_beat_came_is_not_being_ahead() -> None:
    streams = structs.replace(ALONE, receive_lsn=900, replay_lsn=900, receiver_streaming=True)
    assert following(ev.Probed(streams), life(2, 2, 250)).mind.state is State.STANDBY_CATCHUP


def test_who_streams_what_it_cannot_replay_streams_nothing_and_is_replaced_in_the_end() -> None:
    node = following()
    stuck = structs.replace(ALONE, receive_lsn=900, receiver_streaming=True)
    for counter in range(2, 300):
        node.all([life(counter, 1, 50), ev.Probed(stuck)])
        node.feed(ev.Tick(), 0.1)
        if node.mind.state is State.RECLONING:
            break
    assert node.mind.state is State.RECLONING


def test_where_a_primary_began_is_told_for_as_long_as_that_server_runs() -> None:
    node = primary_alone()  # begun at 100
    assert beat_of(node.mind, 1, node.now_s).began_lsn == 100
    beneath = structs.replace(SERVING, postmaster_start=SERVING.postmaster_start + 1)
    node.feed(ev.Probed(beneath))
    assert beat_of(node.mind, 2, node.now_s).began_lsn == 0, "nobody measured where that began"


def row(flush_lsn: int, replay_lsn: int, name: str = "b_1") -> ev.Probed:
    sender = ev.Walsender(name, "streaming", flush_lsn, replay_lsn=replay_lsn)
    return ev.Probed(structs.replace(SERVING, walsenders=(sender,)))


def grants(node: Node) -> list[act.SwapRecord]:
    return [one for one in node.ordered if isinstance(one, act.SwapRecord)]


def test_a_standby_is_not_named_before_it_has_replayed_the_barrier() -> None:
    node = offered(in_entry())
    node.feed(row(100, 99))
    assert not grants(node)
    node.feed(row(100, 100))
    assert grants(node)


def test_a_standby_that_had_replayed_beyond_the_barrier_before_it_was_written_is_not_named() -> (
    None
):
    node = primary_alone()
    node.all([peer_beat(1, "STANDBY_CATCHUP"), row(90, 150, "b_0")])
    assert node.mind.state is State.SYNC_ENTRY
    node = offered(node)
    node.feed(row(160, 150))
    assert not grants(node)


def test_no_entry_begins_with_a_standby_that_has_not_told_from_where_it_reads_on() -> None:
    node = primary_alone()
    node.all([peer_beat(1, "STANDBY_CATCHUP"), row(90, 0, "b_0")])
    assert node.mind.state is State.PRIMARY_SOLO
