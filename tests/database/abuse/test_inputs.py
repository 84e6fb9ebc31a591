"""What is typed wrongly on purpose is refused with the place it stands at, by the real server, and
reaches neither a key nor the money; and what a thief tries at the sign-in.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec import msgpack

from mpowerd import attempts
from protocols.frames import frame
from protocols.messages import MAX_FRAME_BYTES, Refusal, Reply
from protocols.shell.clock import boot_seconds
from tests.open_house import PASSWORD, OpenHouse, house_for_fixture
from tests.postgres_nodes import on_reactor
from tests.terminals import employ

CONSUMER = "1000000001"
NAN, INFINITE = float("nan"), float("inf")
PAUSE_S = 1.0
SLACK_S = 5.0
"""For the hashing, on a machine that others use too."""
SURROGATE = b"\x93" + b"\xa4name" + b"\xa3\xed\xa0\x80" + b"\x0a"


@pytest.fixture(scope="module")
def house() -> Iterator[OpenHouse]:
    yield from house_for_fixture()


@pytest.mark.parametrize(
    ("operation", "body", "place"),
    [
        ("payments.take", [CONSUMER, NAN], "amount_paise: expected `int`, got `float`"),
        ("payments.take", [CONSUMER, INFINITE], "amount_paise: expected `int`, got `float`"),
        ("payments.take", [CONSUMER, 100.0], "amount_paise: expected `int`, got `float`"),
        ("payments.take", [CONSUMER, True], "amount_paise: expected `int`, got `bool`"),
        ("payments.take", [CONSUMER, "100"], "amount_paise: expected `int`, got `str`"),
        ("payments.take", [CONSUMER, 2**63], "the amount paise must be at most"),
        ("payments.take", [CONSUMER, 2**64 - 1], "the amount paise must be at most"),
        ("payments.take", [CONSUMER, None], "amount_paise: expected `int`, got `None`"),
        ("payments.take", ["१०००००००००", 100], "consumer"),
        ("payments.take", ["\uff11" + "\uff10" * 9, 100], "consumer"),
        ("payments.take", [CONSUMER + "\n", 100], "consumer"),
        ("payments.take", [1000000001, 100], "consumer"),
        ("payments.take", [CONSUMER], ""),
        ("payments.take", [CONSUMER, 100, "CASH", "", "DUES", "", "one more"], ""),
        ("payments.take", {"consumer": CONSUMER, "amount_paise": 100}, ""),
        ("consumers.find", ["name", "a\x00b", 10], "text"),
        ("consumers.find", ["name", "a\x1b[2J", 10], "text"),
        ("consumers.find", ["name; DROP TABLE", "a", 10], "by"),
        ("consumers.find", ["name", "a", 10_000], "limit"),
    ],
)
@on_reactor
async def test_a_wrong_field_is_refused_by_name(
    house: OpenHouse, operation: str, body: Any, place: str
) -> None:
    sequence = 1 if operation == "payments.take" else None
    async with house.terminal("C003", "asha") as terminal:
        answer = await terminal.ask(operation, body, sequence)
        assert isinstance(answer, Refusal), answer
        assert answer.code == "BAD_BODY"
        assert place in answer.sentence
        assert await terminal.code("consumers.dues", [CONSUMER]) == ""
    assert house.keys_used("C003") == 0


@on_reactor
async def test_half_a_character_is_refused(house: OpenHouse) -> None:
    async with house.terminal("C003", "asha") as terminal:
        whole = b"\x95" + b"\xa1q" + b"\x01" + b"\xaeconsumers.find" + b"\xc0" + SURROGATE
        terminal.raw(frame(whole, MAX_FRAME_BYTES))
        answer = await terminal.hear()
        assert isinstance(answer, Refusal)
        assert answer.code == "BAD_BODY"


@pytest.mark.parametrize(
    "text", ["' OR 1=1 --", "%", "_", "\\", "'; SELECT pg_sleep(9) --", "$$", "=cmd|' /C calc'!A0"]
)
@on_reactor
async def test_what_is_sought_is_only_a_text(house: OpenHouse, text: str) -> None:
    async with house.terminal("C003", "asha") as terminal:
        begun = time.monotonic()
        answer = await terminal.ask("consumers.find", ["name", text, 50])
        assert isinstance(answer, Reply), answer
        assert msgpack.decode(bytes(answer.body))[0] == []
        assert time.monotonic() - begun < 5.0


@on_reactor
async def test_a_stolen_token_opens_nothing_at_another_certificate(house: OpenHouse) -> None:
    async with house.terminal("C001") as own:
        session = await own.sign_in("asha", PASSWORD)
        async with house.terminal("C002") as thief:
            answer = await thief.resume(session.token)
            assert isinstance(answer, Refusal)
            assert answer.code == "SIGN_IN_AGAIN"
            assert await thief.code("consumers.dues", [CONSUMER]) == "SIGN_IN_AGAIN"
        assert await own.code("consumers.dues", [CONSUMER]) == ""


@on_reactor
async def test_a_lock_is_earned_at_one_desk_and_holds_nobody_at_another(house: OpenHouse) -> None:
    async with house.terminal("C004") as attacker, house.terminal("C005") as colleague:
        said = [await attacker.refused_sign_in("ravi", "wrong") for _ in range(5)]
        assert set(said) == {"SIGN_IN_FAILED"}
        assert await attacker.refused_sign_in("ravi", PASSWORD) == "SIGN_IN_LOCKED"
        await colleague.sign_in("ravi", PASSWORD)
        await attacker.sign_in("asha", PASSWORD)


@on_reactor
async def test_guesses_from_many_terminals_slow_each_other_down_and_never_the_officer_out(
    house: OpenHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five stolen counters guess at one officer's password, who signs in meanwhile: after one
    pause, the longest, which is shortened here.
    """
    monkeypatch.setattr(attempts, "LONGEST_PAUSE_S", PAUSE_S)
    async with house.terminal("night", "admin", "ops") as ops:
        await employ(ops, "gita", "officer", PASSWORD, 400)

    async def guess(counter: str) -> list[float]:
        took = []
        async with house.terminal(counter) as stolen:
            for _ in range(5):
                begun = time.monotonic()
                assert await stolen.refused_sign_in("gita", "wrong") == "SIGN_IN_FAILED"
                took.append(time.monotonic() - begun)
        return took

    behind = house.house.opening.business
    assert behind is not None
    counted = behind.doors.sign_ins._attempts
    attack = asyncio.gather(*(guess(f"C00{n}") for n in range(1, 6)))
    while counted.pause_s("gita", boot_seconds()) < PAUSE_S:
        await asyncio.sleep(0.02)
    assert not attack.done()
    async with house.terminal("desk", kind="ops") as desk:
        begun = time.monotonic()
        await desk.sign_in("gita", PASSWORD)
        took_s = time.monotonic() - begun
    guesses = await attack
    print(f"the right password took {took_s:.2f} s beside the attack")
    assert took_s < PAUSE_S + SLACK_S
    assert max(one[-1] for one in guesses) >= PAUSE_S
    said = [code for code, user, _ in house.audited("security.sign_in") if user == "gita"]
    assert sorted(said) == ["DONE"] + ["SIGN_IN_FAILED"] * 25


@on_reactor
async def test_an_unknown_user_is_refused_in_the_same_words_and_time(house: OpenHouse) -> None:
    took: dict[str, list[float]] = {"known": [], "unknown": []}
    words = set()
    async with house.terminal("C006") as terminal:
        for turn in range(4):
            for kind, user in (("known", ("asha", "ravi", "meera", "dev")[turn]), ("unknown", "x")):
                begun = time.perf_counter()
                name = user if kind == "known" else f"nobody{turn}"
                words.add(await terminal.refused_sign_in(name, "wrong"))
                took[kind].append(time.perf_counter() - begun)
    assert words == {"SIGN_IN_FAILED"}
    ratio = statistics.median(took["known"]) / statistics.median(took["unknown"])
    assert 1 / 3 < ratio < 3, took
