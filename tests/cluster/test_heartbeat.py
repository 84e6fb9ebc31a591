"""What counts as silence: both ways, healthy, newest, and only while this loop ran."""

from cluster.heartbeat import Hearing, deafened, heard, link_silence_s, relayed, still_s
from protocols.peer import NodeBeat


def beat(counter: int, *, boot: str = "one", healthy: bool = True, heard_ms: int = 10) -> NodeBeat:
    return NodeBeat("a", boot, counter, 1, 5, 1, "PRIMARY_SYNC", healthy=healthy, heard_ms=heard_ms)


def test_a_healthy_beat_that_heard_us_ends_the_silence() -> None:
    hearing = heard(deafened(Hearing(), 100.0), beat(1), 101.0, 0.6)
    assert link_silence_s(hearing, 101.5) == 0.5


def test_a_beat_that_does_not_hear_us_or_is_unwell_does_not() -> None:
    start = deafened(Hearing(), 100.0)
    for one in (beat(1, healthy=False), beat(1, heard_ms=-1), beat(1, heard_ms=600)):
        assert link_silence_s(heard(start, one, 101.0, 0.6), 101.5) == 1.5


def test_a_living_process_is_heard_again_after_a_late_beat_of_its_predecessor() -> None:
    hearing = heard(deafened(Hearing(), 100.0), beat(1, boot="two"), 101.0, 0.6)
    late = relayed(hearing, beat(34, boot="one"), 0, asked_at_s=101.0, now_s=101.1)
    assert late.beat is not None
    assert late.beat.boot == "one"
    again = heard(late, beat(2, boot="two"), 101.2, 0.6)
    assert again.beat is not None
    assert again.beat.boot == "two"


def test_a_duplicate_an_overtaken_beat_and_one_of_a_replaced_process_are_no_news() -> None:
    hearing = heard(deafened(Hearing(), 100.0), beat(7), 101.0, 0.6)
    later = heard(hearing, beat(1, boot="two"), 102.0, 0.6)
    assert heard(hearing, beat(7), 103.0, 0.6) == hearing
    assert heard(hearing, beat(6), 103.0, 0.6) == hearing
    assert heard(later, beat(7, boot="one"), 103.0, 0.6) == later


def test_the_counter_stands_still_only_in_answers_asked_for_after_it_was_seen() -> None:
    hearing = relayed(deafened(Hearing(), 100.0), beat(3), 0, asked_at_s=100.1, now_s=100.2)
    assert still_s(hearing) < 0
    hearing = relayed(hearing, beat(3), 0, asked_at_s=100.1, now_s=105.0)
    assert still_s(hearing) < 0
    hearing = relayed(hearing, beat(3), 0, asked_at_s=102.2, now_s=105.0)
    assert still_s(hearing) == 2.0
    assert still_s(relayed(hearing, beat(4), 0, asked_at_s=102.3, now_s=105.1)) < 0


def test_after_a_stall_silence_is_counted_anew_on_both_paths() -> None:
    hearing = heard(deafened(Hearing(), 100.0), beat(3), 100.0, 0.6)
    hearing = relayed(hearing, beat(3), 0, asked_at_s=100.0, now_s=100.0)
    hearing = relayed(hearing, beat(3), 0, asked_at_s=160.0, now_s=160.0)
    woken = deafened(hearing, 160.0)
    assert link_silence_s(woken, 160.0) == 0.0
    assert still_s(woken) < 0


def test_the_same_beat_over_a_link_that_is_alive_both_ways_counts_from_when_it_came() -> None:
    hearing = heard(deafened(Hearing(), 100.0), beat(7, heard_ms=5000), 101.0, 0.6)
    assert link_silence_s(hearing, 101.5) == 1.5
    hearing = heard(hearing, beat(7), 103.0, 0.6)
    assert link_silence_s(hearing, 103.0) == 2.0
