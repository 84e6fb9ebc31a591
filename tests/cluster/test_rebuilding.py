"""A lost arbiter rebuilt: what a node proposes, and what becomes of one that did not agree."""

import pytest
from msgspec import structs

from cluster import actions as act
from cluster import events as ev
from cluster import record as records
from cluster.arbiter.register import ROLLED_BACK
from cluster.opening import is_open
from cluster.safety import why_not_close, why_not_confirm
from cluster.states import State
from cluster.view import alarms_of
from tests.cluster.test_machine import FIRST, HELD, Node, confirmed, in_sync
from tests.cluster.test_switchover import ask, healthy

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


HERE, THERE = "witness 10.0.0.3:7503", "witness 10.0.0.9:7503"
CLOSED = records.closed(SYNCED, "a", "close", "by ops1", to=THERE)


@pytest.mark.parametrize(
    ("said", "done"),
    [
        ({"here": THERE, "arbiter": THERE}, True),
        ({"here": THERE}, True),
        ({"here": HERE, "arbiter": THERE}, False),
        ({"here": HERE}, False),
        ({"here": HERE, "abandoned": THERE}, True),
    ],
)
def test_a_moved_record_is_made_only_where_it_was_to_go(said: dict[str, str], done: bool) -> None:
    it = Node("a", "b", structs.replace(HELD, epoch=CLOSED.epoch, record=CLOSED))
    actions = it.feed(asked("rebuild", consented="a,b", epoch="9", **said))
    assert answered(actions).ok is done
    made = [one.record for one in actions if isinstance(one, act.SwapRecord)]
    assert [one.moved for one in made] == ([""] if done else [])


def test_the_arbiter_is_closed_by_a_swap_and_after_it_nothing_else_is_asked() -> None:
    it = in_sync()
    healthy(it, 20)
    assert ask(it, "close", to="") is not None, "without a name nothing is closed"
    assert ask(it, "close", to=THERE) is None, "the answer waits for the arbiter"
    closing = it.swapped()
    assert (closing.moved, closing.sync) == (THERE, "b")
    assert answered(it.feed(confirmed(closing))).ok
    assert it.mind.state is State.PRIMARY_SYNC
    assert is_open(it.mind)
    healthy(it, 21)
    for verb in ("pause", "close", "switchover"):
        said = ask(it, verb, to="b" if verb == "switchover" else THERE)
        assert said is not None
        assert not said.ok
    assert "arbiter-moved" in alarms_of(it.mind)


def test_an_arbiter_in_doubt_or_a_claim_that_is_not_open_is_not_moved() -> None:
    it = in_sync()
    healthy(it, 20)
    doubted = structs.replace(it.mind, doubt="it was restarted")
    assert (no := why_not_close(doubted, THERE)) is not None
    assert no.code == "DOUBT"
    record = it.mind.record
    assert record is not None
    for changed in ({"opened": False}, {"intent": "switchover:b:0"}):
        mind = structs.replace(it.mind, record=structs.replace(record, **changed))
        assert why_not_close(mind, THERE) is not None


def test_an_operator_stands_for_a_node_only_if_it_is_waited_for_and_gone() -> None:
    it = in_sync()
    healthy(it, 20)
    said = ask(it, "confirm")
    assert said is not None
    assert said.code == "NOT_NEEDED"
    it.mind = structs.replace(it.mind, doubt="b has not confirmed its epoch", nonce="n7")
    said = ask(it, "confirm")
    assert said is not None
    assert said.code == "ALIVE"
    silent = structs.replace(it.mind.hearing, peer_at_s=it.now_s - 60)
    it.mind = structs.replace(it.mind, hearing=silent, seen_epoch=0)
    assert ask(it, "confirm") is None, "the answer waits for the arbiter"
    assert it.swapped().trusted == "n7"
    rolled = structs.replace(it.mind, doubt=ROLLED_BACK)
    assert (no := why_not_confirm(rolled)) is not None
    assert no.code == "ROLLED_BACK"
