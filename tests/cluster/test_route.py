"""Which links are dead, which way replication goes, and what people are told of it."""

from cluster.route import NEVER, STAY_S, STEADY_S, Way, dead_links, looked

BEAT_S = 0.2
DOWN_S = 2.0


def test_a_link_that_missed_what_another_brought_is_dead() -> None:
    assert dead_links([9.6, 10.0], 10.0, BEAT_S) == {0}
    assert dead_links([9.8, 10.0], 10.0, BEAT_S) == frozenset()
    assert dead_links([NEVER, 10.0], 10.0, BEAT_S) == {0}


def test_when_all_are_silent_no_link_is_to_blame() -> None:
    assert dead_links([9.0, 9.5], 10.0, BEAT_S) == frozenset()
    assert dead_links([NEVER, NEVER], 10.0, BEAT_S) == frozenset()
    assert dead_links([], 10.0, BEAT_S) == frozenset()


def look(way: Way, dead: set[int], now_s: float) -> Way:
    return looked(way, frozenset(dead), 2, now_s, DOWN_S)


def test_the_way_in_use_is_left_when_it_is_dead_and_kept_when_it_comes_back() -> None:
    way = look(Way(), set(), 0.0)
    assert (way.link, way.moves) == (0, 0)
    way = look(way, {0}, 1.0)
    assert (way.link, way.moves) == (1, 1)
    way = look(way, set(), 5.0)
    assert (way.link, way.moves) == (1, 1)


def test_a_dead_link_that_is_not_in_use_is_acted_on_and_the_way_stays() -> None:
    way = look(Way(1), {0}, 1.0)
    assert (way.link, way.moves) == (1, 1)


def test_links_that_flap_do_not_carry_replication_to_and_fro() -> None:
    way = look(Way(), {0}, 1.0)
    way = look(way, {1}, 1.5)
    assert (way.link, way.moves) == (1, 1), "not again so soon"
    way = look(way, {1}, 1.0 + STAY_S)
    assert (way.link, way.moves) == (0, 2)


def test_people_hear_of_a_link_once_it_lasts_and_once_a_flapping() -> None:
    way = look(Way(), {0}, 0.0)
    assert way.told == frozenset()
    way = look(way, {0}, DOWN_S)
    assert way.told == {0}
    way = look(way, set(), 3.0)
    assert way.told == {0}, "flapping is one alarm"
    way = look(way, {0}, 3.5)
    way = look(way, set(), 4.0)
    assert way.told == {0}
    way = look(way, set(), 4.0 + STEADY_S)
    assert way.told == frozenset()
