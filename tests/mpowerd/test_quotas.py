"""What a certificate may ask: its rate and not more, whatever it tries; and nobody else's."""

from hypothesis import given
from hypothesis import strategies as st

from mpowerd.quotas import BURST_S, MESSAGE, PAYMENT, REQUEST, SIGN_IN, Quotas

RATE = 200
ME, OTHER = "counter/C001", "counter/C002"


def quotas() -> Quotas:
    return Quotas({"counter": RATE, "bank": 1000})


@given(st.lists(st.tuples(st.sampled_from([PAYMENT, REQUEST, SIGN_IN]), st.floats(0, 0.5))))
def test_nobody_gets_more_than_a_burst_and_the_rate(asked: list[tuple[int, float]]) -> None:
    made, now_s, had = quotas(), 0.0, 0
    for tokens, pause_s in asked:
        now_s += pause_s
        now_s += made.read(ME, now_s)  # the line is read no sooner
        had += MESSAGE
        if not made.spend(ME, tokens, now_s):
            had += tokens
        assert had <= RATE * (BURST_S + now_s) + MESSAGE + 1e-6


def test_the_wait_that_is_said_is_enough_and_no_more() -> None:
    made = quotas()
    while not (wait_s := made.spend(ME, REQUEST, 5.0)):
        pass
    assert made.spend(ME, REQUEST, 5.0 + wait_s * 0.9) > 0
    assert made.spend(ME, REQUEST, 5.0 + wait_s * 1.01) == 0


def test_who_floods_takes_nothing_from_another_and_a_bank_has_more() -> None:
    made = quotas()
    for _ in range(10_000):
        made.spend(ME, REQUEST, 1.0)
    assert made.spend(OTHER, SIGN_IN, 1.0) == 0
    sent = sum(not made.spend("bank/SBI", REQUEST, 1.0) for _ in range(10_000))
    assert sent == 1000 * BURST_S / REQUEST
    assert made.told_over().keys() == {ME, "bank/SBI"}
    assert made.told_over() == {}


def test_what_says_nothing_worth_an_answer_is_paid_for_too() -> None:
    made = quotas()
    waits = [made.read(ME, 1.0) for _ in range(int(RATE * BURST_S) + 3)]
    assert waits[-4:] == [0.0, *(n / RATE for n in (1, 2, 3))]
    assert made.spend(ME, PAYMENT, 1.0) > 0
    assert made.read(OTHER, 1.0) == 0


def test_a_kind_without_a_rate_has_no_limit_and_who_is_quiet_is_forgotten() -> None:
    made = quotas()
    assert not any(made.spend("ops/night", SIGN_IN, 0.0) for _ in range(1000))
    made.spend(ME, REQUEST, 0.0)
    made.forget(0.001)
    assert ME in made._left
    made.forget(1.0)
    assert not made._left


def test_a_clock_that_stands_or_goes_back_gives_nothing() -> None:
    made = quotas()
    while not made.spend(ME, REQUEST, 10.0):
        pass
    assert made.spend(ME, REQUEST, 3.0) > 0
