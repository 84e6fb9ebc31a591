"""The door: floods cost their own address, others are served."""

from mpowerd.admission import (
    PACE_PER_ADDRESS,
    PACED,
    PER_ADDRESS,
    UNFINISHED_PER_ADDRESS,
    Admission,
)


def test_a_flood_of_unfinished_handshakes_is_turned_away_and_takes_no_tokens_of_others() -> None:
    door = Admission(rate=200, most=2000, now_s=0.0)
    turned = [door.enter("10.0.0.66") for _ in range(1000)]
    assert turned.count("") == UNFINISHED_PER_ADDRESS
    assert set(turned[UNFINISHED_PER_ADDRESS:]) == {"handshakes unfinished"}
    assert door.refill(0.0)
    assert door.enter("10.0.0.7") == ""


def test_one_address_and_all_together_are_capped() -> None:
    door = Admission(rate=200, most=PER_ADDRESS + 10, now_s=0.0)
    for _ in range(PER_ADDRESS):
        assert door.enter("10.0.0.1") == ""
        door.finished("10.0.0.1")
    assert door.enter("10.0.0.1") == "connections of one address"
    for n in range(10):
        assert door.enter(f"10.0.1.{n}") == ""
    assert door.enter("10.0.2.1") == "connections in total"
    door.left("10.0.0.1")
    assert door.enter("10.0.2.1") == ""


def test_tokens_come_back_with_time_and_never_more_than_a_second_of_them() -> None:
    door = Admission(rate=10, most=2000, now_s=0.0)
    for n in range(10):
        door.enter(f"10.0.0.{n}")
    assert not door.refill(0.0)
    assert not door.refill(0.05)
    assert door.refill(0.2)
    door.refill(3600.0)
    for n in range(10):
        door.enter(f"10.0.1.{n}")
    assert not door.refill(3600.0)


def test_what_leaves_is_forgotten() -> None:
    door = Admission(rate=10, most=2000, now_s=0.0)
    door.enter("10.0.0.1")
    door.finished("10.0.0.1")
    door.left("10.0.0.1")
    assert not door._here
    assert not door._unfinished


def come_and_go(door: Admission, host: str, times: int) -> list[str]:
    said = []
    for _ in range(times):
        said.append(door.enter(host))
        if not said[-1]:
            door.finished(host)
            door.left(host)
    return said


def test_whoever_comes_and_goes_without_end_is_slowed_down_and_nobody_else() -> None:
    door = Admission(rate=1_000, most=2_000, now_s=0.0)
    assert come_and_go(door, "10.0.0.66", PER_ADDRESS) == [""] * PER_ADDRESS
    assert set(come_and_go(door, "10.0.0.66", 100)) == {"pace of one address"}
    assert door.enter("10.0.0.7") == ""
    door.refill(1.0)
    assert come_and_go(door, "10.0.0.66", 100).count("") == PACE_PER_ADDRESS
    for n in range(2 * PACED):
        come_and_go(door, f"2001:db8::{n:x}", 1)
    assert len(door._paced) == PACED
