"""A counter's day through every layer: TLS, frames, conversation, dispatch, lane, PostgreSQL, and
back.
"""

from collections.abc import Iterator

import pytest

from protocols.messages import Refusal, Reply
from tests.open_house import DAY, PASSWORD, OpenHouse, house_for_fixture
from tests.postgres_nodes import on_reactor


@pytest.fixture(scope="module")
def house() -> Iterator[OpenHouse]:
    yield from house_for_fixture()


def consumer(number: int) -> str:
    return str(1_000_000_000 + number)


@on_reactor
async def test_a_clerk_finds_asks_takes_and_sees_the_receipt(house: OpenHouse) -> None:
    async with house.terminal("C001", "asha") as terminal:
        found = await terminal.body("consumers.find", ["number", consumer(1), 10])
        assert [one[0] for one in found[0]] == [consumer(1)]
        dues = await terminal.body("consumers.dues", [consumer(1)])
        assert dues[3:6] == [50_000, 0, 50_000]
        receipt = await terminal.body("payments.take", [consumer(1), 12_500], 1)
        assert receipt[0] == "C001/2026-27/1"
        assert receipt[1] == DAY
        dues = await terminal.body("consumers.dues", [consumer(1)])
        assert dues[3:6] == [50_000, 12_500, 37_500]
        mine = await terminal.body("payments.mine", [50])
        assert (mine[0][0][0], mine[1], mine[2]) == ("C001/2026-27/1", 1, 12_500)


@on_reactor
async def test_a_repeat_gets_the_first_answer_and_another_body_a_conflict(house: OpenHouse) -> None:
    async with house.terminal("C002", "ravi") as terminal:
        first = await terminal.ask("payments.take", [consumer(2), 100], 11)
        again = await terminal.ask("payments.take", [consumer(2), 100], 11)
        other = await terminal.ask("payments.take", [consumer(2), 101], 11)
    assert isinstance(first, Reply)
    assert isinstance(again, Reply)
    assert (bytes(again.body), first.replay, again.replay) == (bytes(first.body), False, True)
    assert isinstance(other, Refusal)
    assert (other.code, other.final) == ("KEY_CONFLICT", True)
    taken = house.rows("SELECT count(*) FROM mpower.requests WHERE consumer = %s", 1_000_000_002)
    assert taken == [(1,)]
    assert house.audited("payments.take")[-1] == ("KEY_CONFLICT", "ravi", "counter/C002")


@on_reactor
async def test_a_key_of_another_counter_tells_nothing(house: OpenHouse) -> None:
    async with house.terminal("C001", "asha") as one, house.terminal("C002", "ravi") as two:
        mine = await one.body("payments.take", [consumer(3), 100], 21)
        yours = await two.body("payments.take", [consumer(3), 101], 21)
    assert mine[0].startswith("C001/")
    assert yours[0].startswith("C002/")


@on_reactor
async def test_a_flight_with_a_key_twice_and_bad_items_harms_nobody(house: OpenHouse) -> None:
    async with house.terminal("C003", "asha") as terminal:
        asked = [
            ("payments.take", [consumer(4), 100], 31),
            ("payments.take", [consumer(4), 100], 31),
            ("payments.take", [consumer(4), 0], 32),
            ("payments.take", [consumer(4), -5], 33),
            ("payments.take", ["9999999999", 100], 34),
            ("payments.take", [consumer(4), 10**12], 35),
            ("payments.take", [consumer(4), 60_000], 36),
            (
                "payments.take",
                [consumer(5), 100, "CHEQUE", "123456", "DUES", DAY, "SBI", "MALL-ROAD"],
                37,
            ),
        ]
        said = [terminal.request(*one) for one in asked]
        for one in said:
            terminal.say(one)
        answers = {}
        for _ in said:
            answer = await terminal.hear()
            assert isinstance(answer, Reply | Refusal)
            answers[answer.seq] = answer
    in_order = [answers[one.seq] for one in said]
    codes = [one.code if isinstance(one, Refusal) else f"replay={one.replay}" for one in in_order]
    assert codes == [
        "replay=False",
        "replay=True",
        "AMOUNT_ZERO",
        "AMOUNT_NEGATIVE",
        "NO_CONSUMER",
        "AMOUNT_HUGE",
        "ADVANCE_UNMARKED",
        "replay=False",
    ]


@on_reactor
async def test_a_wrong_role_is_refused_stored_under_its_key_and_audited(house: OpenHouse) -> None:
    async with house.terminal("C004", "meera") as terminal:
        first = await terminal.ask("payments.take", [consumer(6), 100], 41)
        again = await terminal.ask("payments.take", [consumer(6), 100], 41)
        unkeyed = await terminal.code("security.sessions", [])
    assert isinstance(first, Refusal)
    assert isinstance(again, Refusal)
    assert (first.code, first.final, first.replay) == ("ROLE", True, False)
    assert (again.code, again.replay, again.sentence) == ("ROLE", True, first.sentence)
    assert unkeyed == "ROLE"
    assert house.audited("security.sessions")[-1] == ("ROLE", "meera", "counter/C004")
    assert house.audited("payments.take")[-1][0] == "ROLE"


@on_reactor
async def test_a_clerk_revoked_meanwhile_still_gets_the_receipt(house: OpenHouse) -> None:
    async with house.terminal("C005", "ravi") as terminal:
        taken = await terminal.ask("payments.take", [consumer(7), 100], 51)
    async with house.terminal("C005", "meera") as terminal:
        again = await terminal.ask("payments.take", [consumer(7), 100], 51)
    assert isinstance(taken, Reply)
    assert isinstance(again, Reply)
    assert (bytes(again.body), again.replay) == (bytes(taken.body), True)


@on_reactor
async def test_a_bank_posts_for_itself_and_nobody_signs_in_at_its_link(house: OpenHouse) -> None:
    async with house.terminal("SBI", kind="bank") as bank:
        day = await bank.body("days.today", [])
        assert day == [DAY, "2026-27", "OPEN"]
        lines = [["R1", consumer(8), 500, "2026-04-01"], ["R2", "what-is-it", 70, "2026-04-01"]]
        posted = await bank.body("banking.post", ["S1", 1, 2, 570, lines], 61)
        assert posted[2:6] == [1, 500, 1, 70]
        assert await bank.code("payments.take", [consumer(8), 100], 62) == "SIGN_IN_AGAIN"
        assert await bank.refused_sign_in("meera", PASSWORD) == "CERTIFICATE_ROLE"


@on_reactor
async def test_an_officer_verifies_and_a_receipt_of_another_day_stays(house: OpenHouse) -> None:
    async with house.terminal("C006", "asha") as terminal:
        await terminal.body("payments.take", [consumer(9), 700], 71)
        cancelled = await terminal.body("payments.take", [consumer(9), 300], 72)
    async with house.terminal("C006", "meera") as officer:
        await officer.body("payments.cancel", [cancelled[0], "wrong consumer"], 73)
        verified = await officer.body("payments.verify", ["C006", DAY, []], 74)
        assert verified[:2] == [1, 700]
        assert await officer.code("payments.cancel", [cancelled[0], "again"], 75) != ""
