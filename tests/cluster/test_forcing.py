"""A failover that is forced: refused where it is not needed or not safe, and a new incarnation."""

import pytest
from msgspec import structs

from cluster import actions as act
from cluster import events as ev
from cluster import record as records
from cluster.left_behind import LeftBehind
from cluster.states import State
from cluster.view import alarms_of
from tests.cluster.test_gated import restarted
from tests.cluster.test_guards import known, told
from tests.cluster.test_machine import (
    HELD,
    SERVING,
    Node,
    confirmed,
    peer_beat,
    primary_alone,
    primary_beat,
    standby_in_sync,
)

FACTS = structs.replace(SERVING, in_recovery=True, flush_lsn=0, receive_lsn=100)


def silent(node: Node, for_s: float = 3.0, remembered: int = 0) -> Node:
    """The primary's beat stands still at the arbiter, which remembers a flush, and nothing comes on
    a link.
    """
    told_of = primary_beat(1)
    for _ in range(int(for_s / 0.2)):
        epoch = known(node.mind).epoch
        beat = structs.replace(told_of, flush_lsn=450)
        node.feed(ev.RelayHeard(beat, remembered, "n1", epoch, node.now_s), 0.2)
        node.feed(ev.Probed(FACTS))
    return node


def left_alone() -> Node:
    """The record says that the primary was alone; then it went silent."""
    node = standby_in_sync()
    told(node, sync="", min_lsn=0)
    return silent(node)


def asked(node: Node, **more: str) -> tuple[act.Action, ...]:
    said = {"epoch": str(known(node.mind).epoch), "accept": "yes", "operator": "asha", **more}
    return node.feed(ev.Asked("failover", tuple(sorted(said.items()))))


def answer(node: Node, **more: str) -> act.AnswerVerb:
    found = [one for one in asked(node, **more) if isinstance(one, act.AnswerVerb)]
    assert found, node.ordered
    return found[0]


def test_what_is_left_becomes_the_primary_in_a_new_incarnation() -> None:
    node = left_alone()
    asked(node)
    claim = node.swapped()
    assert (claim.primary, claim.prev, claim.opened, claim.incarnation) == ("b", "", False, 2)
    assert claim.consented == ("b",)
    assert "forced by asha" in claim.reason
    assert claim.takeovers == ()
    node.feed(confirmed(claim))
    assert node.mind.state is State.PROMOTING
    assert [one.ok for one in node.ordered if isinstance(one, act.AnswerVerb)] == [True]


def test_first_it_is_said_what_can_be_lost() -> None:
    said = answer(left_alone(), dry="yes")
    assert said.ok
    assert "350 bytes of log more" in said.sentence
    assert "served alone by record" in said.sentence


def test_nothing_is_forced_unless_the_loss_is_accepted() -> None:
    assert answer(left_alone(), accept="").code == "USAGE"


def test_who_is_heard_is_not_given_up() -> None:
    node = standby_in_sync()
    told(node, sync="")
    node.feed(ev.BeatHeard(0, primary_beat(1)))
    assert answer(node).code == "NOT_GONE"


def test_who_is_heard_one_way_only_is_not_given_up() -> None:
    node = left_alone()
    node.feed(ev.BeatHeard(0, structs.replace(primary_beat(2), heard_ms=9000)), 0.2)
    assert node.mind.peer_silent(2.0)  # unfit to serve us, and it may serve others
    said = answer(node)
    assert said.code == "NOT_GONE"
    assert "was heard 0.0 s ago" in said.sentence
    silent(node)
    assert answer(node, dry="yes").ok


def test_whose_log_still_streams_in_is_not_given_up() -> None:
    node = left_alone()
    node.feed(ev.Probed(structs.replace(FACTS, receiver_streaming=True)), 0.2)
    assert answer(node).code == "NOT_GONE"
    assert answer(silent(node), dry="yes").ok


def test_a_node_that_has_just_started_has_to_listen_first() -> None:
    node = standby_in_sync()
    told(node, sync="", min_lsn=0)
    node.feed(ev.BeatHeard(0, primary_beat(1)))
    assert answer(silent(node, 1.8)).code == "NOT_GONE"
    fresh = restarted(remembered=500)
    fresh.feed(ev.PostgresExited(0, asked=True))
    assert "a has listened for b for" in answer(fresh).sentence
    assert answer(silent(node, 1.0), dry="yes").ok


@pytest.mark.parametrize(
    ("changes", "do"),
    [({"paused": True}, "cluster resume"), ({"maintenance": "b"}, "maintenance b off")],
)
def test_a_copy_in_sync_takes_over_without_loss_instead(
    changes: dict[str, object], do: str
) -> None:
    node = standby_in_sync()
    told(node, **changes)
    said = answer(silent(node))
    assert said.code == "NOT_NEEDED"
    assert do in said.sentence


def test_a_copy_in_sync_that_still_replays_is_waited_for() -> None:
    """After its start it shows less than stands on its disk, and loses nothing by taking over."""
    node = standby_in_sync()
    node.all([ev.PostgresExited(9, asked=False), ev.PostgresStarted(as_standby=True)])
    said = answer(silent(node, remembered=9_000))
    assert (said.code, "still replays" in said.sentence) == ("BUSY", True)


def test_without_a_running_copy_there_is_nothing_to_force() -> None:
    node = left_alone()
    node.feed(ev.PostgresExited(9, asked=False))
    assert answer(node).code == "NO_COPY"


def test_another_epoch_than_was_seen_is_refused() -> None:
    assert answer(left_alone(), epoch="1").code == "CHANGED"


def test_the_old_primary_is_refused_until_it_is_cloned_and_says_what_it_may_have_lost() -> None:
    node = Node("a", "b", structs.replace(HELD, clean_shutdown=True, end_lsn=90))
    alone = records.first("city", "s1", "a", "first")
    claim = records.forced(alone, "b", "claim", "forced", held_lsn=100)
    opened = structs.replace(claim, opened=True, epoch=3, tli=2)
    node.feed(ev.RecordRead(opened, "n1"))
    stock = [one for one in node.ordered if isinstance(one, act.TakeStock)]
    assert [one.forced for one in stock] == [True]
    assert not [one for one in node.ordered if isinstance(one, act.StartStandby)]
    node.all([ev.StockTaken(fits=True), ev.Tick()])
    assert node.mind.state is State.RECLONING


def test_what_is_left_behind_after_a_forced_failover_may_have_been_acknowledged() -> None:
    report = LeftBehind(0.0, 1, 100, 500, 3, 9)
    assert "unacknowledged only" in report.sentence
    forced = structs.replace(report, forced=True)
    assert "acknowledged payments may be among them" in forced.sentence
    assert "unacknowledged only" not in forced.sentence


def set_back(heard: bool = False) -> Node:
    """A primary that served alone, on an older copy of its disk; PostgreSQL is down again."""
    node = restarted(remembered=500)
    node.feed(ev.PostgresExited(0, asked=True))
    for n in range(20):
        node.feed(ev.RelayHeard(None, 500, "n1", known(node.mind).epoch, node.now_s), 0.2)
        if heard:
            node.feed(peer_beat(n, "STANDBY_CATCHUP"))
        node.feed(ev.RecordRead(known(node.mind), "n1"))
    return node


def test_an_only_copy_that_was_set_back_is_opened_by_an_operator_who_accepts_the_loss() -> None:
    node = set_back()
    said = answer(node, dry="yes")
    assert said.ok, said.sentence
    assert "was set back and ends at 0/64" in said.sentence
    assert "400 bytes of log more" in said.sentence
    asked(node)
    claim = node.swapped()
    assert (claim.primary, claim.term, claim.opened, claim.incarnation) == ("a", 2, False, 2)
    assert (claim.consented, claim.prev) == (("a",), "")
    node.feed(confirmed(claim))
    assert node.mind.state.value == "PROMOTING"
    assert "set-back" not in alarms_of(node.mind)
    node.feed(ev.ClaimKept(claim.op_id))
    assert act.StartStandby("", 0) in node.ordered
    node.feed(ev.PostgresStarted(as_standby=True))
    node.feed(ev.RelayHeard(None, 0, "n1", claim.epoch, node.now_s))
    node.feed(ev.Probed(FACTS))
    assert any(isinstance(one, act.Promote) for one in node.ordered)
    node.all([ev.NamesSet(""), ev.Promoted(2, 100)])
    opened = node.swapped()
    assert (opened.opened, opened.tli) == (True, 2)
    node.all([confirmed(opened), ev.FenceWritten(2)])
    assert node.mind.state is State.PRIMARY_SOLO


def test_while_the_other_node_is_heard_its_copy_may_be_the_better_one() -> None:
    said = answer(set_back(heard=True))
    assert said.code == "NOT_GONE"
    assert "power one server off, then ask the other" in said.sentence


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"sync": "b", "sync_gen": 4}, "PRIMARY"),
        ({"opened": False}, "PRIMARY"),
        ({"paused": True}, "PAUSED"),
        ({"system_id": "another"}, "NO_COPY"),
    ],
)
def test_a_set_back_copy_is_not_opened_where_that_is_not_safe(
    changes: dict[str, object], code: str
) -> None:
    node = set_back()
    record = structs.replace(known(node.mind), **changes)
    node.mind = structs.replace(node.mind, record=record)
    assert answer(node).code == code


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"rejoining": True}, "NO_COPY"),
        ({"has_data": False}, "NO_COPY"),
        ({"short_lsn": 0}, "PRIMARY"),
    ],
)
def test_a_copy_that_is_another_or_not_known_to_be_short_is_not_opened(
    changes: dict[str, object], code: str
) -> None:
    node = set_back()
    node.mind = structs.replace(node.mind, disk=structs.replace(node.mind.disk, **changes))
    assert answer(node).code == code


def test_nothing_is_opened_on_a_doubtful_arbiter_or_under_a_running_postgresql() -> None:
    node = set_back()
    node.mind = structs.replace(node.mind, doubt="b has not confirmed its epoch")
    assert answer(node).code == "DOUBT"
    node = set_back()
    node.mind = structs.replace(node.mind, doing=("StopPostgres",))
    assert answer(node).code == "BUSY"


def test_a_primary_that_serves_has_nothing_to_be_forced() -> None:
    assert answer(primary_alone()).code == "PRIMARY"
