"""The ladder back: follow, rewind, clone; and what is asked before anything is destroyed."""

from msgspec import structs

from cluster import actions as act
from cluster import events as ev
from cluster import record as records
from cluster.states import State
from protocols.peer import NodeBeat, TimelineStep
from tests.cluster.test_machine import FIRST, HELD, SERVING, Node, confirmed, primary_alone

CLAIM = records.claimed(
    records.synced(FIRST, "a", "sync1", peer="b", generation=1, barrier=50), "b", "claim1", "silent"
)
OTHER = records.opened(CLAIM, "b", "open1", TimelineStep(2, 80, "claim1"))
"""b took over from a at 80, on timeline 2."""
BEAT = NodeBeat("b", "b1", 1, 1, OTHER.epoch, OTHER.term, "PRIMARY_SOLO", tli=2, heard_ms=5)


class Remembering(Node):
    """All that was ordered, not only by the last event."""

    def __init__(self, found: ev.Holdings) -> None:
        self.so_far: list[act.Action] = []
        super().__init__("a", "b", found)

    def feed(self, event: ev.Event, after_s: float = 0.01) -> tuple[act.Action, ...]:
        actions = super().feed(event, after_s)
        self.so_far += actions
        return actions

    def stands(self, state: State) -> bool:
        return self.mind.state is state


def returned(**found: object) -> Remembering:
    """The ex-primary, back and told that b is primary."""
    node = Remembering(structs.replace(HELD, **found))
    node.all([ev.BeatHeard(0, BEAT), ev.RecordRead(OTHER, "n1")])
    return node


def ordered(node: Node) -> list[str]:
    unseen = (act.Note, act.BeatNow, act.Alarm, act.KeepEpoch, act.ReadTheRecord)
    return [type(one).__name__ for one in node.ordered if not isinstance(one, unseen)]


def stocked(fits: bool, **found: object) -> Remembering:
    node = returned(**found)
    assert node.stands(State.REJOIN_CHECK)
    assert act.TakeStock(1, 80) in node.ordered or found
    node.feed(ev.StockTaken(fits, "Past the switch: 3 commits."))
    assert act.Note("Past the switch: 3 commits.") in node.so_far
    beat = structs.replace(BEAT, counter=2)
    node.all([ev.Tick(), ev.BeatHeard(0, beat)])
    return node


def test_stock_is_taken_before_a_copy_is_replaced() -> None:
    assert ordered(returned()) == ["TakeStock"]


def test_a_clone_is_preferred_while_it_fits() -> None:
    node = stocked(fits=True)
    assert node.stands(State.RECLONING)
    assert node.mind.disk.rejoining
    assert act.Clone("b", keep=True) in node.so_far
    node.feed(ev.Cloned("s1"))
    assert node.stands(State.STANDBY_CATCHUP)
    assert node.mind.disk.kept_old


def test_without_room_the_copy_is_rewound() -> None:
    node = stocked(fits=False)
    assert node.stands(State.REWINDING)
    assert act.Rewind("b", 2, 80) in node.so_far
    node.feed(ev.Rewound("s1"))
    assert node.stands(State.STANDBY_CATCHUP)
    assert act.StartStandby("b", 0) in node.so_far


def test_a_rewind_that_fails_is_cloned_in_its_place() -> None:
    node = stocked(fits=False)
    node.all([ev.ActionFailed("Rewind", "no rewind required"), ev.Tick()])
    assert node.stands(State.RECLONING)
    assert node.mind.disk.diverged
    node.now_s += 1
    node.feed(ev.BeatHeard(0, structs.replace(BEAT, counter=3)))
    assert act.Clone("b", keep=False) in node.so_far


def test_an_equal_timeline_is_never_rewound() -> None:
    node = stocked(fits=False, tli=2)
    assert node.stands(State.RECLONING)


def test_a_promotion_that_the_record_does_not_know_is_never_rewound() -> None:
    node = stocked(fits=False, claim="mine")
    assert node.stands(State.RECLONING)


def test_a_start_that_was_never_proven_is_neither_rewound_nor_followed_with() -> None:
    """Set back to an older copy, it wrote another history below the switch than b has there."""
    node = stocked(fits=False, unproven=True)
    assert node.stands(State.RECLONING)
    assert returned(clean_shutdown=True, end_lsn=70).stands(State.STANDBY_CATCHUP)
    assert returned(clean_shutdown=True, end_lsn=70, unproven=True).stands(State.REJOIN_CHECK)


def unproven(node: Node) -> bool:
    return node.mind.disk.unproven


def test_each_start_as_primary_is_proven_anew_by_the_fence() -> None:
    node = primary_alone()
    assert not unproven(node)
    node.feed(ev.PostgresExited(9, asked=False))
    node.feed(ev.RecordRead(node.mind.record, "n1"), 2.0)
    node.feed(confirmed(node.swapped()))
    assert act.StartPrimary("") in node.ordered
    node.all([ev.PostgresStarted(as_standby=False, began_lsn=100), ev.Probed(SERVING)])
    assert unproven(node)
    node.feed(ev.StandbyAdmitted())
    assert act.WriteFence(1) in node.ordered
    node.feed(ev.FenceWritten(1))
    assert not unproven(node)


def test_a_torn_copy_is_never_started_or_rewound() -> None:
    node = stocked(fits=False, torn=True)
    assert node.stands(State.RECLONING)
    named = Node("a", "b", structs.replace(HELD, torn=True))
    named.feed(ev.RecordRead(FIRST, "n1"))
    named.all([ev.Tick(), ev.Tick()])
    assert "StartPrimary" not in ordered(named)


def test_a_clean_end_before_the_switch_follows_without_stock() -> None:
    node = returned(clean_shutdown=True, end_lsn=70)
    assert ordered(node) == ["StartStandby"]
    assert ordered(returned(clean_shutdown=True, end_lsn=90)) == ["TakeStock"]


def test_the_kept_copy_goes_once_the_new_one_is_in_sync() -> None:
    synced = records.synced(OTHER, "b", "sync2", peer="a", generation=2, barrier=90)
    node = stocked(fits=True)
    node.all([ev.Cloned("s1"), ev.PostgresStarted(as_standby=True)])
    facts = ev.Facts(True, "s1", 2, 0, 95, 95, 1, "", receiver_streaming=True)
    offer = structs.replace(BEAT, counter=9, offered=2)
    node.all([ev.Probed(facts), ev.BeatHeard(0, offer), ev.TokenKept(2)])
    assert act.DropOldCopy() not in node.so_far
    node.all([ev.RecordRead(synced, "n1"), ev.Probed(facts)])
    assert node.stands(State.STANDBY_SYNC)
    node.all([ev.Tick(), ev.Tick()])
    assert node.so_far.count(act.DropOldCopy()) == 1
