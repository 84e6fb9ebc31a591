"""A strip of beats: on time, late, missed, and the same whoever looks how often."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.strip import LATE, MARKS, MISSED, ON_TIME, Strip

PERIOD_S, SUSPECT_S = 0.2, 0.6


def strip_of(*times_s: float) -> Strip:
    strip = Strip(PERIOD_S, SUSPECT_S)
    for at_s in times_s:
        strip.beat(at_s)
    return strip


def test_nothing_is_shown_before_the_first_beat() -> None:
    assert strip_of().shown(100.0) == ""


def test_beats_in_time_are_marks_and_old_ones_leave() -> None:
    strip = strip_of(*(n * PERIOD_S for n in range(100)))
    assert strip.shown(99 * PERIOD_S + 0.1) == ON_TIME * MARKS
    assert strip.counts == {ON_TIME: 100, LATE: 0, MISSED: 0}


@pytest.mark.parametrize(
    ("times_s", "shown"),
    [
        ((0.0, 0.2, 0.4), "|||"),
        ((0.0, 0.29), "||"),
        ((0.0, 0.31), "|!"),
        ((0.0, 0.2, 0.25, 0.4), "|||"),
        ((0.0, 0.59), "|!"),
        ((0.0, 0.6), "|..!"),
        ((0.0, 1.0, 1.2), "|....!|"),
    ],
)
def test_marks_follow_the_gaps(times_s: tuple[float, ...], shown: str) -> None:
    assert strip_of(*times_s).shown(times_s[-1]) == shown


@pytest.mark.parametrize(
    ("now_s", "shown"), [(0.2, "|"), (0.35, "|!"), (0.6, "|.."), (1.0, "|....")]
)
def test_what_is_awaited_is_shown_and_not_counted(now_s: float, shown: str) -> None:
    strip = strip_of(0.0)
    assert strip.shown(now_s) == shown
    assert strip.counts == {ON_TIME: 1, LATE: 0, MISSED: 0}


def test_an_hour_of_silence_is_one_full_strip() -> None:
    strip = strip_of(0.0)
    assert strip.shown(3600.0) == MISSED * MARKS
    strip.beat(3600.0)
    assert strip.shown(3600.0) == MISSED * (MARKS - 1) + LATE
    assert strip.counts[MISSED] == 3600 * 5 - 1


@given(st.lists(st.floats(0.0, 3.0), max_size=80), st.lists(st.floats(0.0, 3.0), max_size=5))
def test_looking_changes_nothing_and_a_strip_is_bounded(
    gaps_s: list[float], looks_s: list[float]
) -> None:
    now_s, plain, watched = 0.0, strip_of(), strip_of()
    for gap_s in gaps_s:
        now_s += gap_s
        plain.beat(now_s)
        for look_s in looks_s:
            watched.shown(now_s - look_s)
        watched.beat(now_s)
    assert plain.shown(now_s) == watched.shown(now_s)
    assert plain.counts == watched.counts
    assert len(plain.shown(now_s + 100.0)) <= MARKS
