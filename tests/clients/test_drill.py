"""A drill is refused wherever a failover would not be safe, and tells what counters would wait."""

import pytest
from msgspec import structs

from clients.ops.bells import Rung, Waits, waits
from clients.ops.drill import Leg, sentence, unsafe
from clients.ops.seen import Seen
from tests.clients.test_verdict import RECORD, A, B, W


def seen(**changes: object) -> Seen:
    record = structs.replace(RECORD, **changes)
    nodes = [structs.replace(one, record=record) for one in (A, B)]
    return Seen(nodes, structs.replace(W, record=record), {}, {}, 0.0)


def test_a_pair_in_sync_may_rehearse() -> None:
    assert unsafe(seen()) == ""


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"paused": True}, "paused"),
        ({"sync": ""}, "one copy only"),
        ({"maintenance": "b"}, "b is in maintenance"),
        ({"intent": "switchover b 99"}, "a switchover is planned"),
    ],
)
def test_a_pair_that_is_not_may_not(changes: dict[str, object], why: str) -> None:
    assert why in unsafe(seen(**changes))


def test_nobody_may_be_silent() -> None:
    silent = structs.replace(seen(), silent={"h:1": "refused"})
    assert unsafe(silent) == "a node, one link: no answer at h:1 (refused)"
    lone = structs.replace(silent, nodes=[A])
    assert unsafe(lone).startswith("b: no answer since")


def test_a_wait_is_the_time_between_two_welcomes() -> None:
    rung = [Rung(2.0, "b"), Rung(1.0, ""), Rung(0.5, "a"), Rung(0.4, "a"), Rung(2.05, "b")]
    assert waits(rung) == Waits(rings=5, welcomed=4, longest_ms=1500)


def test_a_door_that_stays_shut_is_waited_for_to_the_end() -> None:
    rung = [Rung(0.0, "a"), Rung(0.1, ""), Rung(5.0, "")]
    assert waits(rung).longest_ms == 5000
    assert waits([]).longest_ms == 0


def test_the_sentence_has_both_ways() -> None:
    there = Leg(
        source="a", target="b", gap_ms=370, took_ms=700, copies_ms=1300, rings=17, welcomed=5
    )
    said = sentence([there, structs.replace(there, source="b", target="a", gap_ms=410)])
    assert "b after a, closed to counters for 0.37 s" in said
    assert "a after b, closed to counters for 0.41 s" in said
    assert said.endswith("a is the primary, as before. No payment was made for it.")
