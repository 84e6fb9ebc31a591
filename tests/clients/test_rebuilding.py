"""When a lost arbiter may be rebuilt: judged from the machines' own answers."""

from msgspec import structs

from clients.ops.rebuilding import agreed, cannot
from clients.ops.seen import Seen
from clients.ops.verdict import NodeStatus, WitnessStatus
from tests.clients.test_verdict import A, B, W

EMPTY = structs.replace(W, record=None)


def seen(*nodes: NodeStatus, witness: WitnessStatus | None = EMPTY) -> Seen:
    return Seen(list(nodes), witness, {one.node: one.node for one in nodes}, {}, 0.0)


def test_both_agree_and_who_knows_most_proposes() -> None:
    assert cannot(seen(A, B), None) == ""
    assert A.record is not None
    less = structs.replace(B, record=structs.replace(A.record, epoch=A.record.epoch - 1))
    plan = agreed(seen(A, less), None)
    assert (plan.nodes, plan.by, plan.epoch) == (("a", "b"), "a", A.epoch)
    bare = structs.replace(A, record=None, kept_record=A.record)
    assert agreed(seen(bare, less), None).by == "a"


def test_what_is_whole_or_silent_or_missing_is_refused_in_words() -> None:
    assert "nothing is lost" in cannot(seen(A, B, witness=W), None)
    assert "does not answer" in cannot(seen(A, B, witness=None), None)
    assert "both nodes must agree" in cannot(seen(A), None)
    assert "not powered off" in cannot(seen(A, B), "b")
    assert cannot(seen(A), "b") == ""
    assert "No node answers" in cannot(seen(), None)
    ahead = structs.replace(B, epoch=A.epoch + 5)
    assert "nobody holds that record" in cannot(seen(A, ahead), None)
    none = structs.replace(A, record=None)
    assert "No node knows" in cannot(seen(none, structs.replace(B, record=None)), None)


def test_an_old_record_moved_on_upon_a_rolled_back_file_is_not_the_newest() -> None:
    assert A.record is not None
    true = structs.replace(A.record, primary="b", sync="", term=A.record.term + 1)
    old = structs.replace(A.record, epoch=A.record.epoch + 3)
    after = structs.replace(A, record=old, epoch=old.epoch)
    plan = agreed(seen(after, structs.replace(B, record=true)), None)
    assert (plan.by, plan.epoch) == ("b", old.epoch)
    assert cannot(seen(after, structs.replace(B, record=true)), None) == ""
    rolled = structs.replace(W, record=old)
    assert cannot(seen(after, structs.replace(B, record=true), witness=rolled), None) == ""


def test_within_a_term_its_primary_knows_best() -> None:
    assert A.record is not None
    alone = structs.replace(A.record, primary="a", sync="")
    paused = structs.replace(A.record, primary="a", paused=True, epoch=A.record.epoch + 1)
    nodes = (structs.replace(A, record=alone), structs.replace(B, record=paused))
    assert agreed(seen(*nodes), None).by == "a"


def test_an_etcd_that_a_node_hears_without_a_doubt_is_whole() -> None:
    on_etcd = [structs.replace(one, arbiter="etcd", arbiter_heard_ms=50) for one in (A, B)]
    assert "nothing is lost" in cannot(seen(*on_etcd, witness=None), None)
    for change in ({"arbiter_heard_ms": -1}, {"doubt": "it was set back"}):
        lost = [structs.replace(one, **change) for one in on_etcd]
        assert cannot(seen(*lost, witness=None), None) == ""
