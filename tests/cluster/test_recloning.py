"""A standby copied anew by an operator's order: what refuses it, and in what order it goes."""

import pytest
from msgspec import structs

from cluster import actions as act
from cluster import events as ev
from cluster.states import State
from protocols.peer import NodeBeat
from tests.cluster.test_machine import HELD, Node, confirmed, in_sync, standby_in_sync


def order(it: Node, name: str, epoch: int = 0) -> act.AnswerVerb | None:
    """What an operator hears at once, if anything."""
    record = it.mind.record
    at = epoch or (record.epoch if record else 0)
    said = (("epoch", str(at)), ("node", name), ("operator", "ops1"))
    actions = it.feed(ev.Asked("reinit", said))
    return next((one for one in actions if isinstance(one, act.AnswerVerb)), None)


def beat(counter: int, **more: object) -> NodeBeat:
    """The primary serves, and is heard."""
    said = NodeBeat("a", "a1", counter, 1, 2, 1, "PRIMARY_SYNC", healthy=True, heard_ms=5)
    return structs.replace(said, **more)


def standby(**said: object) -> Node:
    node = standby_in_sync()
    node.feed(ev.BeatHeard(0, beat(1, **said)))
    return node


def given_up() -> Node:
    node = standby()
    assert order(node, "b") is None, "the answer waits for the arbiter"
    made = node.swapped()
    assert (made.sync, made.epoch, made.primary) == ("", 3, "a")
    node.feed(confirmed(made))
    return node


def test_the_copy_is_given_up_only_when_the_record_has_it_no_more() -> None:
    node = standby()
    order(node, "b")
    assert node.mind.state is State.STANDBY_SYNC
    assert act.StopPostgres("immediate") not in node.ordered


def test_then_it_is_marked_on_disk_stopped_judged_and_cloned() -> None:
    node = given_up()
    assert node.mind.state is State.RECLONING
    assert act.StopPostgres("immediate") in node.ordered
    kept = [one for one in node.ordered if isinstance(one, act.KeepEpoch)]
    assert [one.excluded for one in kept] == [True]
    node.feed(ev.PostgresExited(0, asked=True))
    node.feed(ev.Tick())
    assert [one for one in node.ordered if isinstance(one, act.TakeStock)]
    node.feed(ev.StockTaken(True))
    node.feed(ev.BeatHeard(0, beat(2, state="PRIMARY_SOLO", epoch=3)))
    assert act.Clone("a", True) in node.ordered


def test_after_a_crash_in_between_it_is_not_followed_with() -> None:
    node = given_up()
    record = node.mind.record
    assert record is not None
    found = structs.replace(HELD, was_primary=False, rejoining=True, epoch=3, record=record)
    again = Node("b", "a", found)
    again.feed(ev.BeatHeard(0, beat(3, state="PRIMARY_SOLO", epoch=3)))
    again.feed(ev.RecordRead(record, "n1"))
    again.feed(ev.Tick())
    again.feed(ev.StockTaken(True))
    again.feed(ev.Tick())
    assert again.mind.state is State.RECLONING, "it did not follow from REJOIN_CHECK"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"state": "PRIMARY_GATED"}, "ONLY_COPY"),
        ({"state": "READING"}, "ONLY_COPY"),
        ({"healthy": False}, "ONLY_COPY"),
        ({"leaving": "it is shut down"}, "ONLY_COPY"),
        ({"state": "PRIMARY_SYNC"}, ""),
    ],
)
def test_what_may_be_the_only_good_copy_is_kept(said: dict[str, object], code: str) -> None:
    told = order(standby(**said), "b")
    assert (told.code if told else "") == code


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"paused": True}, "PAUSED"),
        ({"strict": True}, "STRICT"),
        ({"intent": "switchover:b:0"}, "BUSY"),
        ({"opened": False}, "PROMOTING"),
        ({"primary": "b"}, "PRIMARY"),
    ],
)
def test_the_record_speaks_against_it(changes: dict[str, object], code: str) -> None:
    node = standby()
    record = structs.replace(node.mind.record, **changes)  # type: ignore[type-var]
    node.mind = structs.replace(node.mind, record=record)
    told = order(node, "b")
    assert told is not None
    assert told.code == code
    assert told.sentence.count(".") >= 2, "what to do is a sentence of its own"


def test_only_the_node_itself_and_only_a_standby() -> None:
    for node, name, code in (
        (standby(), "c", "UNKNOWN_NODE"),
        (in_sync(), "a", "PRIMARY"),
        (in_sync(), "b", "ANOTHER"),
    ):
        told = order(node, name)
        assert told is not None
        assert told.code == code
    node = standby()
    node.mind = structs.replace(node.mind, state=State.RECLONING)
    told = order(node, "b")
    assert told is not None
    assert told.code == "ALREADY"


def test_on_another_epoch_than_the_operator_saw_nothing_is_done() -> None:
    told = order(standby(), "b", epoch=1)
    assert told is not None
    assert told.code == "CHANGED"
