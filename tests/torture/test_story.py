"""A fault that another one kept from striking is struck when that one is over, or is told as
missed.
"""

import time
from collections.abc import Callable
from itertools import count, pairwise, repeat
from types import SimpleNamespace

import pytest

from tests.torture.plan import Fault
from tests.torture.story import Story
from tests.torture.strokes import STROKES
from tests.torture.struck import Missed, Struck


class Seat:
    """One chair: who comes while it is taken finds nothing to strike."""

    def __init__(self) -> None:
        self.taken = False

    def strike(self, place: object, fault: Fault) -> Struck:
        if self.taken:
            raise Missed("somebody sits there")
        self.taken = True
        return Struck(self.leave)

    def leave(self) -> None:
        self.taken = False


def story(monkeypatch: pytest.MonkeyPatch, seat: Seat) -> Story:
    monkeypatch.setitem(STROKES, "sit", seat.strike)
    place = SimpleNamespace(
        hosts={},
        crowd=SimpleNamespace(check=lambda: None),
        watch=SimpleNamespace(who=lambda role: "a"),
    )
    return Story(place, repeat([]))  # type: ignore[arg-type]


FAULTS = [Fault(n, "sit", "primary", 0.01 * n, 0.2, 0) for n in range(3)]


def test_what_was_kept_from_striking_strikes_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    played = story(monkeypatch, Seat())
    played._strike(FAULTS)
    assert (len(played.hits), played.missed) == (3, [])
    ordered = sorted(played.hits, key=lambda hit: hit.began_s)
    assert all(later.began_s >= one.ended_s for one, later in pairwise(ordered))


def test_what_finds_nothing_even_alone_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    seat = Seat()
    seat.taken = True
    played = story(monkeypatch, seat)
    played._strike(FAULTS)
    assert (len(played.hits), len(played.missed)) == (0, 3)


def test_what_met_nobody_has_not_struck(monkeypatch: pytest.MonkeyPatch) -> None:
    played = story(monkeypatch, Seat())
    monkeypatch.setitem(STROKES, "sit", lambda place, fault: Struck(hit=lambda: bool(fault.number)))
    played._strike(FAULTS)
    assert (len(played.hits), len(played.missed)) == (2, 1)


class Quiet(Story):
    """A story whose pair is always whole; its time is over after so many faults."""

    def converge(self, what: str) -> None:
        return

    def _compare(self) -> None:
        return


def quiet(monkeypatch: pytest.MonkeyPatch, strikes: Callable[[int], bool]) -> Quiet:
    turns = count(1)
    monkeypatch.setattr("tests.torture.story.keep_record", lambda place: None)
    monkeypatch.setattr("tests.torture.story.network.mend_all", lambda: None)
    monkeypatch.setattr("tests.torture.story.OVERTIME_S", 1.0)
    monkeypatch.setattr("tests.torture.plan._drawn", lambda *words: FAULTS[1])

    def stroke(place: object, fault: Fault) -> Struck:
        turn = next(turns)
        return Struck(hit=lambda: strikes(turn))

    place = story(monkeypatch, Seat()).place
    monkeypatch.setitem(STROKES, "sit", stroke)
    monkeypatch.setattr("tests.torture.plan.chosen", lambda only: [SimpleNamespace(name="sit")])
    return Quiet(place, repeat([FAULTS[0]]), ("sit",), 7)


def test_a_run_goes_on_until_every_kind_has_struck(monkeypatch: pytest.MonkeyPatch) -> None:
    played = quiet(monkeypatch, lambda turn: turn == 3)
    played.play(time.monotonic())
    assert (len(played.hits), len(played.missed), played.never_hit()) == (1, 2, [])


def test_a_kind_that_never_strikes_is_told_when_the_time_is_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    played = quiet(monkeypatch, lambda turn: False)
    played.play(time.monotonic())
    assert (played.hits, played.never_hit()) == ([], ["sit"])
