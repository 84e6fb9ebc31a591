"""A lost arbiter rebuilt: what a node proposes, and what becomes of one that did not agree."""

from msgspec import structs

from cluster import actions as act
from cluster import events as ev
from cluster import record as records
from cluster.states import State
from tests.cluster.test_machine import FIRST, HELD, Node

SYNCED = records.synced(FIRST, "a", "sync", peer="b", generation=1, barrier=100)


def asked(verb: str, **arguments: str) -> ev.Asked:
    return ev.Asked(verb, tuple(sorted(arguments.items())))


def answered(actions: tuple[act.Action, ...]) -> act.AnswerVerb:
    return next(one for one in actions if isinstance(one, act.AnswerVerb))


def test_a_node_that_knows_the_record_only_from_its_disk_proposes_it() -> None:
    it = Node("a", "b", structs.replace(HELD, epoch=7, record=structs.replace(SYNCED, epoch=7)))
    actions = it.feed(asked("rebuild", consented="a,b", epoch="9"))
    swap = next(one for one in actions if isinstance(one, act.SwapRecord))
    assert swap.expected == act.ANYTHING
    made = swap.record
    assert (made.incarnation, made.epoch, made.sync) == (2, 10, "b")
    assert made.consented == ("a", "b")
    assert answered(actions).ok


def test_nothing_is_proposed_without_a_record_nor_without_ones_own_consent() -> None:
    for held, consented in ((HELD, "a,b"), (structs.replace(HELD, record=SYNCED), "b")):
        it = Node("a", "b", held)
        said = answered(it.feed(asked("rebuild", consented=consented, epoch="9")))
        assert not said.ok


def test_consent_forgets_what_was_known_of_the_old_arbiter() -> None:
    actions = Node("a", "b", HELD).feed(asked("adopt"))
    assert act.AdoptArbiter() in actions
    assert answered(actions).ok


def test_who_agreed_goes_on_and_who_did_not_is_marked_before_anything_else() -> None:
    for consented, whole in ((("a", "b"), True), (("a",), False)):
        it = Node("b", "a", structs.replace(HELD, epoch=2, was_primary=False))
        made = records.rebuilt(SYNCED, "a", "op", consented=consented, epoch=9, held_lsn=0)
        actions = it.feed(ev.RecordRead(made, "n2"))
        assert act.KeepEpoch(9, 2, made, excluded=not whole) in actions
        assert it.mind.disk.diverged is not whole
        assert (it.mind.state is State.STANDBY_CATCHUP) is whole


def test_a_standby_that_runs_without_having_agreed_is_stopped() -> None:
    it = Node("b", "a", structs.replace(HELD, epoch=2, was_primary=False))
    it.feed(ev.RecordRead(SYNCED, "n1"))
    it.feed(ev.PostgresStarted(as_standby=True))
    made = records.rebuilt(SYNCED, "a", "op", consented=("a",), epoch=9, held_lsn=0)
    actions = it.feed(ev.RecordRead(made, "n2"))
    assert it.mind.state is State.FENCING
    assert act.StopPostgres("immediate") in actions
