"""Whether a living record may be moved to another arbiter: judged from the nodes' own answers."""

from typing import Any

import pytest
from msgspec import structs

from clients.ops.rebuilding import cannot
from clients.ops.replacing import Prospect, cannot_move, is_closed, is_there, planned, works_with
from cluster import record as records
from tests.clients.test_rebuilding import seen
from tests.clients.test_verdict import A, B

OLD, NEW = "witness 10.0.0.3:7503", "witness 10.0.0.9:7503"
assert A.record is not None
RECORD = A.record
CLOSED = records.closed(RECORD, "a", "close", "by ops1", to=NEW)
THERE = records.rebuilt(CLOSED, "a", "op", consented=("a", "b"), epoch=CLOSED.epoch + 1, held_lsn=0)
PROSPECT = Prospect(now=OLD, next=NEW)


def prospects(a: Prospect = PROSPECT, b: Prospect = PROSPECT) -> dict[str, Prospect]:
    return {"a": a, "b": b}


def both(**changes: Any) -> dict[str, Prospect]:
    one = structs.replace(PROSPECT, **changes)
    return prospects(one, one)


def test_both_nodes_name_the_new_one_and_it_is_empty() -> None:
    assert cannot_move(seen(A, B), both()) == ""
    move = planned(seen(A, B), both())
    assert (move.to, move.closed, move.nodes) == (NEW, False, ("a", "b"))


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (prospects(b=structs.replace(PROSPECT, next=OLD)), "name different arbiters (a: witness"),
        (prospects(b=structs.replace(PROSPECT, next="", trouble="torn")), "of b cannot be read"),
        (both(next=OLD), "nothing is to be moved"),
        (prospects(b=structs.replace(PROSPECT, now=NEW)), "b was restarted and works with"),
        (both(trouble="no route"), f"a cannot use {NEW}: no route."),
        (both(holds=structs.replace(RECORD, cluster_id="other")), "the record of cluster other"),
        (both(holds=structs.replace(RECORD, epoch=1)), "an old record of this cluster (epoch 1)"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(asked: dict[str, Prospect], reason: str) -> None:
    assert reason in cannot_move(seen(A, B), asked)


def test_the_old_arbiter_must_be_there_and_certain_to_be_closed() -> None:
    deaf = structs.replace(B, arbiter_heard_ms=-1)
    assert "b does not hear the present arbiter" in cannot_move(seen(A, deaf), both())
    doubted = structs.replace(B, doubt="it was restarted")
    assert "in doubt: it was restarted" in cannot_move(seen(A, doubted), both())
    assert "both nodes must agree" in cannot_move(seen(A), both())


def knowing(a: Any, b: Any, **changes: Any) -> Any:
    at = {"name": NEW}
    return seen(
        structs.replace(A, record=a, epoch=a.epoch, arbiter_at=at, **changes),
        structs.replace(B, record=b, epoch=b.epoch, arbiter_at=at, **changes),
    )


def test_a_move_that_stopped_goes_on_though_the_old_arbiter_is_silent() -> None:
    half = knowing(CLOSED, CLOSED, arbiter_heard_ms=-1)
    assert cannot_move(half, both(now=NEW)) == ""
    assert cannot_move(half, prospects(a=structs.replace(PROSPECT, now=NEW))) == ""
    assert planned(half, both()).closed
    back = cannot_move(half, both(next=OLD))
    assert f"was moved to {NEW}" in back
    assert "--abandon" in back


def test_each_step_waits_for_both_nodes() -> None:
    move = planned(seen(A, B), both())
    assert not is_closed(knowing(CLOSED, RECORD), move)
    assert is_closed(knowing(CLOSED, CLOSED), move)
    assert not works_with(seen(A, B), move)
    assert works_with(knowing(CLOSED, CLOSED), move)
    assert not is_there(knowing(THERE, CLOSED), move)
    assert is_there(knowing(THERE, THERE), move)


def test_a_closed_record_is_the_newest_though_its_primary_has_not_read_it() -> None:
    assert planned(knowing(RECORD, CLOSED), both()).closed


def test_a_rebuild_in_the_middle_of_a_move_needs_an_operators_word() -> None:
    half = knowing(CLOSED, CLOSED)
    assert "'mpower cluster arbiter replace' goes on" in cannot(half, None)
    assert cannot(half, None, abandon=True) == ""
