"""Guessing slows the guesser down, at that desk and for that name only."""

from mpowerd import attempts
from mpowerd.attempts import Attempts, delay_s, pause_s


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
    seen.succeeded("asha", "counter/C001", 0.0)
    assert seen.wait_s("asha", "counter/C001", 0.0) == 0
    for _ in range(4):
        seen.failed("asha", "counter/C001", 0.0)
    seen.failed("asha", "counter/C001", attempts.FORGET_S)
    assert seen.wait_s("asha", "counter/C001", attempts.FORGET_S) == 0


def test_guesses_at_one_user_from_many_terminals_are_paused_and_refuse_nobody() -> None:
    seen = Attempts()
    for n in range(9):
        seen.failed("meera", f"counter/C{n}", 10.0)
    assert seen.pause_s("meera", 10.0) == 0
    pauses = []
    for n in range(9, 18):
        seen.failed("meera", f"counter/C{n}", 10.0)
        pauses.append(seen.pause_s("meera", 10.0))
    assert pauses == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0, 8.0, 8.0]
    assert all(seen.wait_s("meera", f"counter/C{n}", 10.0) == 0 for n in range(20))
    assert seen.pause_s("asha", 10.0) == 0
    assert seen.pause_s("meera", 9.9 + attempts.FORGET_S) == 8.0
    assert seen.pause_s("meera", 10.0 + attempts.FORGET_S) == 0
    assert pause_s(10**9) == attempts.LONGEST_PAUSE_S


def test_who_signs_in_takes_back_their_own_mistypings_and_nobody_elses_guesses() -> None:
    seen = Attempts()
    for _ in range(4):
        seen.failed("meera", "ops/desk", 0.0)
    for n in range(8):
        seen.failed("meera", f"counter/C{n}", 0.0)
    assert seen.pause_s("meera", 0.0) == 2.0
    seen.succeeded("meera", "ops/desk", 0.0)
    assert seen.pause_s("meera", 0.0) == 0
    seen.succeeded("meera", "ops/desk", 0.0)
    for n in range(2):
        seen.failed("meera", f"counter/D{n}", 0.0)
    assert seen.pause_s("meera", 0.0) == 0.5


def test_both_tables_are_bounded_and_made_up_names_push_out_made_up_names() -> None:
    seen = Attempts()
    for n in range(12):
        seen.failed("meera", f"counter/C{n % 3}", 0.0)
    for n in range(attempts.LIMIT + 5):
        seen.failed(f"user{n}", "counter/C001", float(n) / 100)
    assert (len(seen._pairs), len(seen._users)) == (attempts.LIMIT, attempts.LIMIT)
    assert seen.pause_s("meera", 100.0) == 2.0
    assert "user0" not in seen._users._failed
    assert ("user0", "counter/C001") not in seen._pairs._failed
