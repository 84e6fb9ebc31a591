"""Guessing slows the guesser down, at that desk and for that name only."""

from mpowerd import attempts
from mpowerd.attempts import Attempts, delay_s


def test_five_tries_are_free_then_the_delay_doubles_up_to_a_quarter_of_an_hour() -> None:
    assert [delay_s(n) for n in range(12)] == [0] * 5 + [30, 60, 120, 240, 480, 900, 900]


def test_a_lock_reaches_only_the_pair_it_was_earned_by() -> None:
    seen = Attempts()
    for _ in range(5):
        assert seen.wait_s("asha", "counter/C001", 10.0) == 0
        seen.failed("asha", "counter/C001", 10.0)
    assert seen.wait_s("asha", "counter/C001", 10.0) == 30
    assert seen.wait_s("asha", "counter/C001", 40.0) == 0
    assert seen.wait_s("asha", "counter/C002", 10.0) == 0
    assert seen.wait_s("ravi", "counter/C001", 10.0) == 0


def test_success_and_time_forget() -> None:
    seen = Attempts()
    for _ in range(6):
        seen.failed("asha", "counter/C001", 0.0)
    seen.succeeded("asha", "counter/C001")
    assert seen.wait_s("asha", "counter/C001", 0.0) == 0
    for _ in range(4):
        seen.failed("asha", "counter/C001", 0.0)
    seen.failed("asha", "counter/C001", attempts.FORGET_S)
    assert seen.wait_s("asha", "counter/C001", attempts.FORGET_S) == 0


def test_the_table_is_bounded_and_the_oldest_goes() -> None:
    seen = Attempts()
    for n in range(attempts.LIMIT + 5):
        seen.failed(f"user{n}", "counter/C001", float(n))
    assert len(seen._failed) == attempts.LIMIT
    assert ("user0", "counter/C001") not in seen._failed
