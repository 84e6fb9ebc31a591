"""The generator's judgement: each kind of wrong answer is seen, and right ones are counted."""

from collections import Counter
from collections.abc import Callable

import pytest
from msgspec import Raw
from msgspec.structs import replace

from bench.traffic import TAKE, Intent, Mix, Score, Till
from protocols.catalogue.payments import Receipt
from protocols.codec import encode_reply, from_client
from protocols.messages import Refusal, Reply, Request


def till(mix: Mix | None = None, seed: int = 1) -> Till:
    return Till(seed, bytes(16), 1000, mix or Mix(), Score())


def receipt(intent: Intent, number: int) -> Reply:
    body = intent.body
    said = Receipt(
        f"C001/2026-27/{number}",
        "2026-11-24",
        "2026-11-24T10:00:00Z",
        body.consumer,
        "Consumer",
        body.amount_paise,
        body.mode,
        body.instrument,
        body.purpose,
        "clerk1",
    )
    return Reply(1, encode_reply(TAKE, said))


def refused(code: str) -> Refusal:
    return Refusal(1, code, "No.", final=True)


def test_a_day_of_right_answers_has_nothing_wrong() -> None:
    counter = till(Mix(replays=10, refusals=10))
    score, number = counter.score, 0
    answered: dict[int, Reply] = {}
    kinds: Counter[str] = Counter()
    for _ in range(2000):
        intent = counter.ask()
        request = from_client(intent.payload)
        assert isinstance(request, Request)
        assert request.key is not None
        if intent.code:
            kinds[intent.code] += 1
            assert counter.judge(intent, refused(intent.code))
        elif intent.first:
            first = answered[request.key.sequence]
            assert counter.judge(intent, replace(first, replay=True))
        else:
            number += 1
            answered[request.key.sequence] = receipt(intent, number)
            assert counter.judge(intent, answered[request.key.sequence])
    assert score.wrong == 0, score.examples
    assert score.fresh + score.replays + score.refusals == 2000
    assert score.replays > 100
    assert set(kinds) == {"KEY_CONFLICT", "AMOUNT_ZERO", "NO_CONSUMER"}


def test_the_same_seed_asks_the_same() -> None:
    first, second = till(seed=7), till(seed=7)
    assert [first.ask().payload for _ in range(50)] == [second.ask().payload for _ in range(50)]


def test_not_now_is_no_answer_and_a_doubted_key_may_come_back_as_a_repeat() -> None:
    counter = till(Mix(0, 0))
    intent = counter.ask()
    assert not counter.judge(intent, refused("PENDING"))
    assert counter.judge(intent, replace(receipt(intent, 1), replay=True))
    assert (counter.score.wrong, counter.score.not_now) == (0, 1)


@pytest.mark.parametrize(
    ("spoil", "blamed"),
    [
        (lambda intent: receipt(intent, 3), "does not follow"),
        (lambda intent: receipt(intent, 1), "does not follow"),
        (lambda intent: replace(receipt(intent, 2), replay=True), "as a repeat"),
        (lambda _: refused("NO_CONSUMER"), "instead of a receipt"),
        (
            lambda intent: receipt(replace(intent, body=replace(intent.body, amount_paise=1)), 2),
            "instead of what was paid",
        ),
    ],
)
def test_a_wrong_answer_to_a_fresh_payment_is_blamed(
    spoil: Callable[[Intent], Reply | Refusal], blamed: str
) -> None:
    counter = till(Mix(0, 0))
    first = counter.ask()
    counter.judge(first, receipt(first, 1))
    second = counter.ask()
    counter.judge(second, spoil(second))
    assert counter.score.wrong == 1
    assert blamed in counter.score.examples[0]


def test_a_repeat_must_be_the_first_answer_and_say_so() -> None:
    counter = till(Mix(0, 0))
    first = counter.ask()
    answer = receipt(first, 1)
    again = replace(first, first=bytes(answer.body))
    counter.judge(again, answer)
    counter.judge(again, Reply(1, Raw(bytes(receipt(first, 2).body)), replay=True))
    assert counter.score.wrong == 2


def test_what_must_be_refused_is_blamed_for_a_receipt() -> None:
    counter = till()
    intent = replace(counter.ask(), code="AMOUNT_ZERO")
    counter.judge(intent, receipt(intent, 1))
    counter.judge(intent, refused("NO_CONSUMER"))
    assert counter.score.wrong == 2


def test_who_paid_the_same_already_is_asked_about_and_only_of_a_fresh_payment() -> None:
    counter = till(Mix(0, 0))
    assert counter.judge(counter.ask(), refused("PAID_ALREADY"))
    assert (counter.score.refusals, counter.score.wrong) == (1, 0)
    bad = till(Mix(0, 100))
    assert bad.judge(bad.ask(), refused("PAID_ALREADY"))
    assert bad.score.wrong == 1
