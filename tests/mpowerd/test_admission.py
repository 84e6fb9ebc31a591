"""The door: floods cost their own address, others are served."""

from mpowerd.server import PER_ADDRESS, UNFINISHED_PER_ADDRESS, Admission


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
