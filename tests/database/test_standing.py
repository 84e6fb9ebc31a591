"""The doors follow the standing; sessions survive; who was displaced, disabled or signed out is
out.
"""

import asyncio
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import AsyncExitStack

import psycopg
import pytest

from mpowerd.caller import Caller
from mpowerd.sessions import CHECKED_WITHIN_S
from protocols.messages import NotPrimary, Refusal, Reply, Session, SignOut, Welcome
from tests.open_house import CLUSTER, PASSWORD, OpenHouse, house_for_fixture
from tests.postgres_nodes import on_reactor
from tests.terminals import DOWN, Terminal


@pytest.fixture(scope="module")
def house() -> Iterator[OpenHouse]:
    yield from house_for_fixture()


@on_reactor
async def test_shutting_tells_everybody_and_a_session_is_taken_up_again_after(
    house: OpenHouse,
) -> None:
    files = house.papers.give("counter", "C001")
    async with Terminal.calling(house.port, files, CLUSTER) as terminal:
        await terminal.welcome()
        session = await terminal.sign_in("asha", PASSWORD)
        taken = await terminal.ask("payments.take", ["1000000001", 100], 1)
        house.stand(open=False, epoch=5, where="127.0.0.1:9", reason="isolated")
        said = await terminal.hear()
        assert isinstance(said, NotPrimary)
        assert (said.epoch, said.where) == (5, "127.0.0.1:9")
        assert await terminal.hear() == DOWN
    async with Terminal.calling(house.port, files, CLUSTER) as terminal:
        from protocols.messages import Hello

        terminal.say(Hello(1, "test", 5))
        assert isinstance(await terminal.hear(), NotPrimary)
        house.stand(open=True, epoch=6)
        welcome = await terminal.hear()
        assert isinstance(welcome, Welcome)
        assert (welcome.epoch, welcome.business_date) == (6, "2026-04-02")
        assert isinstance(await terminal.resume(session.token), Session)
        again = await terminal.ask("payments.take", ["1000000001", 100], 1)
    assert isinstance(taken, Reply)
    assert isinstance(again, Reply)
    assert (again.replay, bytes(again.body)) == (True, bytes(taken.body))


@on_reactor
async def test_another_term_fences_what_the_database_does_not_carry(house: OpenHouse) -> None:
    async with house.terminal("C002", "ravi") as terminal:
        house.rows("UPDATE cluster.fence SET term = 2 RETURNING term")
        try:
            refused = await terminal.ask("payments.take", ["1000000002", 100], 1)
        finally:
            house.rows("UPDATE cluster.fence SET term = 1 RETURNING term")
        assert isinstance(refused, Refusal)
        assert (refused.code, refused.final) == ("NOT_PRIMARY", False)
        assert await terminal.code("payments.take", ["1000000002", 100], 1) == ""


@on_reactor
async def test_the_newest_connection_of_a_certificate_wins_and_it_is_audited(
    house: OpenHouse,
) -> None:
    async with house.terminal("C003", "asha") as older, house.terminal("C003", "asha") as newer:
        assert await older.hear() == DOWN
        assert [one.kind for one in older.notices] == ["displaced"]
        assert await newer.code("payments.take", ["1000000003", 100], 1) == ""
    assert ("DONE", "counter/C003", "counter/C003") in house.audited("connection.displaced")


@on_reactor
async def test_two_that_keep_displacing_each_other_raise_an_alarm(
    house: OpenHouse,
) -> None:
    alarms: dict[str, str] = {}
    house.house.alarm = alarms.__setitem__
    files = house.papers.give("counter", "C007")
    async with AsyncExitStack() as all_of_them:
        for turn in range(1, 7):
            terminal = Terminal.calling(house.port, files, CLUSTER)
            await (await all_of_them.enter_async_context(terminal)).welcome()
            assert ("certificate-copied" in alarms) == (turn > 5), "one bad line is no alarm"
    assert alarms["certificate-copied"].endswith("each other: counter/C007 (127.0.0.1).")


@on_reactor
async def test_a_verification_that_does_not_get_on_is_an_alarm_of_the_primary_alone(
    house: OpenHouse,
) -> None:
    alarms: dict[str, str] = {}
    changed = asyncio.Event()

    def alarm(kind: str, text: str) -> None:
        alarms[kind] = text
        changed.set()

    async def until(kind: str, *, stands: bool) -> None:
        while bool(alarms.get(kind)) is not stands:
            changed.clear()
            await changed.wait()

    house.house.alarm = alarm
    async with house.terminal("C001", "asha") as terminal:
        assert await terminal.code("payments.take", ["1000000021", 100], 2) == ""
    house.rows(
        "SELECT mpower.ask_verification_v1('meera', 'E-MEERA', day, 'C001') FROM mpower.days"
    )
    with psycopg.connect(house.node.conninfo, autocommit=True) as base:
        base.execute("ALTER FUNCTION mpower.verification_step_v1 RENAME TO away")
        try:
            await until("verification-stuck", stands=True)
            house.stand(open=False)
            await until("verification-stuck", stands=False)
            house.stand(open=True)
            await until("verification-stuck", stands=True)
        finally:
            base.execute("ALTER FUNCTION mpower.away RENAME TO verification_step_v1")
    await until("verification-stuck", stands=False)
    assert house.rows("SELECT state FROM mpower.verifications") == [("DONE",)]


@on_reactor
async def test_a_revoked_terminal_is_off_within_five_seconds_and_stays_out(
    house: OpenHouse,
) -> None:
    stolen = house.papers.give("counter", "C008")
    async with (
        Terminal.calling(house.port, stolen, CLUSTER) as thief,
        house.terminal("C006", "ravi") as neighbour,
    ):
        await thief.welcome()
        session = await thief.sign_in("asha", PASSWORD)
        assert await thief.code("consumers.dues", ["1000000001"]) == ""
        began = time.monotonic()
        house.papers.revoke(stolen)
        assert await thief.hear() == DOWN
        took_s = time.monotonic() - began
        print(f"a revoked terminal's live connection was cut off after {took_s:.2f} s")
        assert took_s < 5
        again = Terminal()
        await again.call(house.port, stolen, CLUSTER)
        assert await again.hear() == DOWN
        assert await neighbour.code("consumers.dues", ["1000000001"]) == ""
    renewed = house.papers.give("counter", "C008")
    async with Terminal.calling(house.port, renewed, CLUSTER) as back:
        await back.welcome()
        assert isinstance(await back.resume(session.token), Session)


@on_reactor
async def test_a_disabled_users_session_dies_within_five_seconds(house: OpenHouse) -> None:
    async with house.terminal("night", "admin", "ops") as admin:
        await admin.body("security.add_user", ["kiran", "ADMIN", "clerk", PASSWORD], 201)
        async with house.terminal("C004", "kiran") as terminal:
            assert await terminal.code("consumers.dues", ["1000000001"]) == ""
            ended = await admin.body("security.disable_user", ["kiran", "left the board"], 202)
            assert ended == ["kiran", 1]
            began = time.monotonic()
            told = await terminal.hear()
            assert time.monotonic() - began < CHECKED_WITHIN_S <= 5
            assert isinstance(told, Refusal)
            assert told.code == "SIGN_IN_AGAIN"
            assert await terminal.code("consumers.dues", ["1000000001"]) == "SIGN_IN_AGAIN"
            assert await terminal.refused_sign_in("kiran", PASSWORD) == "SIGN_IN_FAILED"


@on_reactor
async def test_a_disabled_clerk_cannot_take_even_before_the_node_noticed(
    house: OpenHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    behind = house.house.opening.business
    assert behind is not None

    async def unnoticed(callers: Sequence[Caller]) -> Collection[bytes]:
        return {one.session for one in callers}

    async with house.terminal("night", "admin", "ops") as admin:
        await admin.body("security.add_user", ["lata", "ADMIN", "clerk", PASSWORD], 301)
        async with house.terminal("C004", "lata") as terminal:
            monkeypatch.setattr(behind.doors.sessions, "_alive", unnoticed)
            await admin.body("security.disable_user", ["lata", "left the board"], 302)
            assert await terminal.code("payments.take", ["1000000001", 100], 1) == "USER_DISABLED"


@on_reactor
async def test_signing_out_ends_the_session_for_good(house: OpenHouse) -> None:
    async with house.terminal("C005") as terminal:
        session = await terminal.sign_in("asha", PASSWORD)
        terminal.say(SignOut())
        assert await terminal.code("payments.mine", [50]) == "SIGN_IN_AGAIN"
    async with house.terminal("C005") as terminal:
        said = await terminal.resume(session.token)
        assert isinstance(said, Refusal)
        assert said.code == "SIGN_IN_AGAIN"


@on_reactor
async def test_the_greeting_carries_the_day_and_a_closed_day_takes_nothing(
    house: OpenHouse,
) -> None:
    async with house.terminal("C006", "asha") as clerk, house.terminal("C007", "meera") as officer:
        await house.close_shifts()
        await officer.body("days.close", ["2026-04-02"], 1)
        assert await clerk.code("payments.take", ["1000000001", 100], 1) == "DAY_NOT_OPEN"
        await officer.body("days.open", ["2026-04-03"], 2)
        await clerk.body("shifts.open", [], 3)
        receipt = await clerk.body("payments.take", ["1000000001", 100], 2)
        assert receipt[1] == "2026-04-03"
