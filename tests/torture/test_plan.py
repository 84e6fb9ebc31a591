"""The plan is a pure thing: the same seed gives the same torture, and no kind is forgotten."""

from itertools import islice

from tests.torture.kinds import BY_NAME, KINDS
from tests.torture.plan import MOST, SPREAD_S, owed, rounds
from tests.torture.strokes import STROKES


def test_a_seed_gives_the_same_plan_twice_and_another_seed_another() -> None:
    one, again, other = (list(islice(rounds(seed), 40)) for seed in (7, 7, 8))
    assert one == again
    assert one != other


def test_every_kind_is_dealt_before_any_is_dealt_again() -> None:
    for seed in range(20):
        dealt = [fault.kind for faults in islice(rounds(seed), 60) for fault in faults]
        by_number = {
            fault.number: fault.kind for faults in islice(rounds(seed), 60) for fault in faults
        }
        first = [by_number[n] for n in range(1, len(KINDS) + 1)]
        assert sorted(first) == sorted(BY_NAME), seed
        assert len(dealt) > len(KINDS)


def test_rounds_overlap_or_stand_alone() -> None:
    played = list(islice(rounds(3), 200))
    assert {len(faults) for faults in played} == set(range(1, MOST + 1))
    for faults in played:
        assert faults[0].at_s <= faults[-1].at_s <= SPREAD_S
        for fault in faults:
            kind = BY_NAME[fault.kind]
            assert kind.shortest_s <= fault.lasts_s <= kind.longest_s
            assert fault.whom in kind.whom


def test_every_kind_has_its_stroke_and_no_stroke_is_without_a_kind() -> None:
    assert set(STROKES) == set(BY_NAME)


def test_what_is_owed_is_dealt_alone_kind_after_kind() -> None:
    kinds = ["delay", "loss", "pause"]
    dealt = [owed(5, turn, kinds) for turn in range(6)]
    assert dealt == [owed(5, turn, kinds) for turn in range(6)]
    assert {len(faults) for faults in dealt} == {1}
    assert sorted(faults[0].kind for faults in dealt) == sorted(kinds * 2)
