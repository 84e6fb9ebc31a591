"""A switchover, step by step: what it waits for, what it waits for no longer, and what calls it
off.
"""

import pytest
from msgspec import structs

from cluster import actions as act
from cluster import events as ev
from cluster import record as records
from cluster.opening import is_open
from cluster.plan import Plan, plan_of
from cluster.states import State
from cluster.view import alarms_of, beat_of, standing
from protocols.annals import ROUTINE, acts_of, entry_of
from protocols.peer import TimelineStep
from tests.cluster.test_machine import (
    SERVING,
    Node,
    confirmed,
    in_sync,
    peer_beat,
    primary_alone,
    standby_in_sync,
)

NOON = 1_800_000_000.0
ROW = ev.Walsender("b_1", "streaming", 100, replay_lsn=100)
STREAMING = structs.replace(SERVING, walsenders=(ROW,))


def healthy(node: Node, counter: int, **more: object) -> None:
    """The peer in sync, the arbiter, PostgreSQL and the clock are all heard again."""
    epoch = node.mind.record.epoch if node.mind.record else 0
    said = {"epoch": epoch, "replay_lsn": 100, **more}
    node.feed(ev.RelayHeard(None, 100, "n1", epoch, node.now_s))
    node.feed(peer_beat(counter, "STANDBY_SYNC", **said))
    node.feed(ev.Probed(STREAMING))
    node.feed(ev.Tick(0.0, NOON))


def ask(node: Node, verb: str, /, **said: str) -> act.AnswerVerb | None:
    """What an operator hears at once, if anything."""
    epoch = str(node.mind.record.epoch if node.mind.record else 0)
    arguments = {"epoch": epoch, "operator": "ops1", **said}
    actions = node.feed(ev.Asked(verb, tuple(sorted(arguments.items()))))
    told = [one for one in actions if isinstance(one, act.AnswerVerb)]
    return told[0] if told else None


def asked() -> Node:
    node = in_sync()
    healthy(node, 20)
    assert ask(node, "switchover") is None, "the answer waits for the arbiter"
    return node


def prepared() -> Node:
    node = asked()
    planned = node.swapped()
    assert plan_of(planned) == Plan("b", 0, "ops1")
    told = [one for one in node.feed(confirmed(planned)) if isinstance(one, act.AnswerVerb)]
    assert told[0].ok
    assert act.Checkpoint() in node.ordered
    assert is_open(node.mind), "payments go on while the checkpoint is written"
    healthy(node, 21)
    return node


def draining() -> Node:
    node = prepared()
    node.feed(ev.Checkpointed())
    assert node.mind.state is State.DRAINING
    return node


def drained() -> Node:
    node = draining()
    node.feed(ev.WorkFinished())
    assert act.StopPostgres("fast", node.mind.timers.drain_s) in node.ordered
    node.feed(ev.PostgresExited(0, asked=True, clean_end_lsn=150))
    return node


def test_the_gate_shuts_after_the_checkpoint_and_what_was_begun_may_end() -> None:
    node = draining()
    stood = standing(node.mind, {"a": "here:1", "b": "there:1"})
    assert (stood.open, stood.finishing, stood.where) == (False, True, "there:1")
    assert (stood.alone, stood.sync_name) == (False, "b_1")
    node.feed(ev.WorkFinished())
    assert not standing(node.mind, {}).finishing


def test_the_beat_says_how_much_the_successor_must_hold_only_when_all_is_written() -> None:
    node = draining()
    assert beat_of(node.mind, 1, node.now_s).drained_lsn == 0
    node.feed(ev.WorkFinished())
    assert beat_of(node.mind, 2, node.now_s).drained_lsn == 0
    node.feed(ev.PostgresExited(0, asked=True, clean_end_lsn=150))
    assert beat_of(node.mind, 3, node.now_s).drained_lsn == 150
    assert act.BeatNow() in node.ordered


def test_the_old_primary_returns_without_a_clone() -> None:
    node = drained()
    record = node.mind.record
    assert record is not None
    claim = records.claimed(record, "b", "b-claim", "switchover", held_lsn=150, switchover=True)
    assert claim.intent == ""
    node.feed(ev.RecordRead(claim, "n1"))
    assert node.mind.state == "FENCING"
    opened = records.opened(claim, "b", "open", TimelineStep(2, 200, "b-claim"))
    node.feed(ev.RecordRead(opened, "n1"))
    assert node.mind.state is State.STANDBY_CATCHUP
    assert any(isinstance(one, act.StartStandby) for one in node.ordered)


def test_a_copy_that_reaches_past_the_switch_is_not_followed_but_replaced() -> None:
    node = drained()
    assert node.mind.record is not None
    claim = records.claimed(node.mind.record, "b", "b-claim", "switchover", switchover=True)
    opened = records.opened(claim, "b", "open", TimelineStep(2, 149, "b-claim"))
    node.feed(ev.RecordRead(opened, "n1"))
    assert node.mind.state is State.REJOIN_CHECK, "its stock is taken; it does not just follow"
    assert not any(isinstance(one, act.StartStandby) for one in node.ordered)


def test_a_stop_that_was_not_in_order_leaves_the_primary_where_it_was() -> None:
    node = draining()
    node.feed(ev.WorkFinished())
    node.feed(ev.PostgresExited(0, asked=True))
    assert node.mind.state is State.READING
    assert beat_of(node.mind, 4, node.now_s).drained_lsn == 0
    node.feed(ev.RecordRead(node.mind.record, "n1"))  # it was ordered before
    node.feed(ev.Tick(0.0, NOON), 0.3)
    node.feed(ev.RecordRead(node.mind.record, "n1"))
    assert plan_of(node.swapped()) is None, "what was called off is not tried again"
    node.feed(ev.Tick(0.0, NOON))
    assert "switchover-aborted" in node.mind.alarms


@pytest.mark.parametrize("state", ["STANDBY_CATCHUP", "READING", "FAULT"])
def test_a_standby_that_is_unwell_calls_it_off(state: str) -> None:
    node = drained()
    node.feed(peer_beat(30, state, epoch=4))
    assert node.mind.state is State.READING


def test_nothing_is_waited_for_longer_than_the_deadline() -> None:
    node = drained()
    for counter in range(40, 80):
        node.feed(peer_beat(counter, "STANDBY_SYNC", epoch=4), 0.2)
        node.feed(ev.Tick(0.0, NOON))
        if node.mind.state is not State.DRAINING:
            break
    assert node.mind.state is State.READING
    assert "did not take over within" in node.mind.called_off


def test_a_switchover_that_is_unsafe_when_due_is_taken_out_of_the_record() -> None:
    node = in_sync()
    healthy(node, 20)
    assert ask(node, "switchover", at=str(int(NOON) + 60)) is None
    node.feed(confirmed(node.swapped()))
    healthy(node, 21)
    assert node.mind.state is State.PRIMARY_SYNC
    assert not any(isinstance(one, act.Checkpoint) for one in node.ordered), "it is not due"
    node.feed(peer_beat(22, "STANDBY_SYNC", epoch=4, replay_lsn=100, disk_free_mb=10))
    node.feed(ev.Tick(0.0, NOON + 61))
    called_off = node.swapped()
    assert (called_off.intent, "disk" in called_off.reason) == ("", True)


def test_dry_asks_only_whether() -> None:
    node = in_sync()
    healthy(node, 20)
    told = ask(node, "switchover", dry="yes")
    assert told is not None
    assert told.ok
    assert node.mind.swap is None


def standby_asked() -> Node:
    node = standby_in_sync()
    record = node.mind.record
    assert record is not None
    planned = records.planned(record, "a", "plan", Plan("b", 0), "asked")
    node.feed(ev.RecordRead(planned, "n1"))
    return node


def from_primary(node: Node, counter: int, drained_lsn: int) -> ev.BeatHeard:
    epoch = node.mind.record.epoch if node.mind.record else 0
    beat = peer_beat(counter, "DRAINING", epoch=epoch, drained_lsn=drained_lsn).beat
    return ev.BeatHeard(0, structs.replace(beat, node="a", boot="a1"))


def test_the_standby_claims_when_it_holds_what_the_stopped_primary_wrote() -> None:
    node = standby_asked()
    node.feed(from_primary(node, 5, 150))
    assert node.mind.state is State.STANDBY_SYNC, "it holds 100"
    held = structs.replace(SERVING, in_recovery=True, flush_lsn=0, receive_lsn=150)
    node.feed(ev.Probed(held))
    claim = node.swapped()
    assert (claim.primary, claim.term, claim.opened, claim.intent) == ("b", 2, False, "")


def test_a_drained_primary_that_nobody_asked_to_switch_is_not_claimed() -> None:
    node = standby_in_sync()
    node.feed(from_primary(node, 5, 50))
    assert node.mind.state is State.STANDBY_SYNC


def test_a_takeover_ends_the_plan_that_it_carries_out_and_no_other() -> None:
    record = records.planned(records.first("city", "s1", "a", "x"), "a", "p", Plan("b", 99), "")
    assert plan_of(records.claimed(record, "b", "c", "silent")) is None
    back = structs.replace(record, primary="b")
    assert plan_of(records.claimed(back, "a", "c", "silent")) == Plan("b", 99)


def test_the_verbs_answer_is_the_arbiters() -> None:
    op_id = asked().swapped().op_id
    ends = {
        "CHANGED": ev.SwapRefused(op_id, None),
        "UNKNOWN": ev.SwapAmbiguous(op_id),
        "NO_ARBITER": ev.SwapFailed(op_id),
    }
    for code, end in ends.items():
        told = [one for one in asked().feed(end) if isinstance(one, act.AnswerVerb)]
        assert (told[0].ok, told[0].code) == (False, code)


@pytest.mark.parametrize("verb", ["switchover", "handover"])
@pytest.mark.parametrize("dry", [{}, {"dry": "yes"}])
def test_nothing_is_handed_to_a_node_in_maintenance(verb: str, dry: dict[str, str]) -> None:
    node = in_sync()
    maintained(node)
    told = ask(node, verb, **dry)
    assert told is not None
    assert (told.ok, told.code) == (False, "MAINTENANCE")
    assert "mpower cluster maintenance b off" in told.sentence
    assert is_open(node.mind)


def maintained(node: Node) -> None:
    healthy(node, 20)
    assert ask(node, "maintenance", node="b", to="on") is None
    node.feed(confirmed(node.swapped()))
    healthy(node, 21)


def test_one_that_is_due_while_its_target_is_in_maintenance_is_called_off_with_the_gate_open() -> (
    None
):
    node = in_sync()
    healthy(node, 20)
    assert ask(node, "switchover", at=str(int(NOON) + 60)) is None
    node.feed(confirmed(node.swapped()))
    maintained(node)
    node.feed(peer_beat(22, "STANDBY_SYNC", epoch=5, replay_lsn=100))
    node.feed(ev.Tick(0.3, NOON + 61))
    called_off = node.swapped()
    assert (called_off.intent, "maintenance" in called_off.reason) == ("", True)
    assert entry_of(called_off).kind not in ROUTINE
    assert is_open(node.mind)


def test_a_switchover_under_way_keeps_its_target_out_of_maintenance() -> None:
    told = ask(prepared(), "maintenance", node="b", to="on")
    assert told is not None
    assert (told.ok, told.code) == (False, "BUSY")


def test_one_given_up_with_the_gate_shut_stands_in_the_history() -> None:
    node = drained()
    for counter in range(40, 80):
        node.feed(peer_beat(counter, "STANDBY_SYNC", epoch=4), 0.2)
        node.feed(ev.Tick(0.0, NOON))
        if node.mind.state is not State.DRAINING:
            break
    node.feed(ev.RecordRead(node.mind.record, "n1"))  # it was ordered before
    node.feed(ev.Tick(0.0, NOON), 0.3)
    node.feed(ev.RecordRead(node.mind.record, "n1"))
    entry = entry_of(node.swapped())
    assert "did not take over within" in entry.reason
    assert entry.kind not in ROUTINE
    assert acts_of([entry]) == [], "no person asked for it"


@pytest.mark.parametrize(
    ("verb", "said"),
    [
        ("resume", {}),
        ("strict", {"to": "off"}),
        ("maintenance", {"node": "b", "to": "off"}),
        ("cancel", {}),
    ],
)
def test_what_stands_already_is_said_to_and_makes_no_epoch(verb: str, said: dict[str, str]) -> None:
    node = in_sync()
    healthy(node, 20)
    swap = node.mind.swap
    told = ask(node, verb, **said)
    assert told is not None
    assert (told.ok, told.sentence.startswith("Nothing to do: ")) == (True, True)
    assert node.mind.swap is swap
    assert ask(node, verb, **said) == told
    stale = ask(node, verb, **said, epoch="1")
    assert stale is not None
    assert stale.code == "CHANGED"


def test_paused_twice_is_paused_once() -> None:
    node = in_sync()
    healthy(node, 20)
    assert ask(node, "pause") is None
    node.feed(confirmed(node.swapped()))
    told = ask(node, "pause")
    assert told is not None
    assert told.sentence == "Nothing to do: the cluster is paused already."


def test_strict_on_one_copy_says_that_counters_will_wait() -> None:
    node = primary_alone()
    node.feed(ev.RelayHeard(None, 0, "n1", 2, node.now_s))
    told = ask(node, "strict", to="on", dry="yes")
    assert told is not None
    assert "all counters would wait" in told.sentence


def test_a_peer_whose_copy_streams_while_its_daemon_is_silent_raises_an_alarm() -> None:
    node = in_sync()
    healthy(node, 20)
    assert "peer-silent" not in alarms_of(node.mind)
    for _ in range(30):
        node.feed(ev.Probed(STREAMING), 0.1)
        node.feed(ev.RelayHeard(None, 100, "n1", 4, node.now_s))
        node.feed(ev.Tick(0.0, NOON))
    assert "peer-silent" in alarms_of(node.mind)
    healthy(node, 21)
    assert "peer-silent" not in alarms_of(node.mind)


def test_a_dry_run_of_a_plan_says_what_speaks_against_it_now() -> None:
    node = in_sync()
    maintained(node)
    told = ask(node, "switchover", at=str(int(NOON) + 60), dry="yes")
    assert told is not None
    assert (told.ok, "now it could not be: b is in maintenance" in told.sentence) == (True, True)
    assert ask(node, "switchover", at=str(int(NOON) + 60)) is None
    (told,) = (
        one for one in node.feed(confirmed(node.swapped())) if isinstance(one, act.AnswerVerb)
    )
    assert told.sentence.startswith("Planned. It is asked again when it is due; now it could")
    assert ask(node, "switchover", at=str(int(NOON) + 90)) is None
    assert node.mind.asked is not None
    assert "It takes the place of the one planned before." in node.mind.asked.told
