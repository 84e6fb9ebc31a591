"""A fault that another one kept from striking is struck when that one is over, or is told as
missed.
"""

from itertools import pairwise, repeat
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
    assert (len(played.hits), played.missed, len(played.dealt)) == (3, [], 3)
    ordered = sorted(played.hits, key=lambda hit: hit.began_s)
    assert all(later.began_s >= one.ended_s for one, later in pairwise(ordered))


def test_what_finds_nothing_even_alone_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    seat = Seat()
    seat.taken = True
    played = story(monkeypatch, seat)
    played._strike(FAULTS)
    assert (len(played.hits), len(played.missed)) == (0, 3)
