"""A session ends when it is idle for fifteen minutes, and after twelve hours whatever its person
does: on a real house, with the sessions' clock in the test's hand, and by what the database says
after a takeover.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mpowerd.sessions import ABSOLUTE_S, IDLE_S, Sessions, session_of
from protocols.messages import Refusal, Session
from protocols.shell.clock import boot_seconds
from tests.open_house import PASSWORD, OpenHouse, house_for_fixture
from tests.postgres_nodes import on_reactor
from tests.terminals import Terminal

DUES = ("consumers.dues", ["1000000001"])


@pytest.fixture(scope="module")
def house() -> Iterator[OpenHouse]:
    yield from house_for_fixture()


class Later:
    """The clock of the house's sessions, which stands still but for what the test adds."""

    def __init__(self, house: OpenHouse, patch: pytest.MonkeyPatch) -> None:
        behind = house.house.opening.business
        assert behind is not None
        self.sessions: Sessions = behind.doors.sessions
        self.now_s = boot_seconds()
        patch.setattr(self.sessions, "_clock", lambda: self.now_s)

    async def by(self, seconds: float) -> None:
        """So much later, and the node has looked at its sessions."""
        self.now_s += seconds
        await self.sessions.check()


def ended(house: OpenHouse, session: Session) -> str | None:
    """Why the session has ended, as the database has it."""
    ((why,),) = house.rows(
        "SELECT ended_why FROM mpower.sessions WHERE token = %s", session_of(session.token)
    )
    return None if why is None else str(why)


async def signed_out(terminal: Terminal, code: str) -> None:
    """It heard why its person has to sign in again, and nothing is served before."""
    said = await terminal.hear()
    assert isinstance(said, Refusal)
    assert (said.seq, said.code) == (0, code)
    assert await terminal.code(*DUES) == "SIGN_IN_AGAIN"


async def over_for_good(terminal: Terminal, session: Session) -> None:
    """The token opens nothing more."""
    said = await terminal.resume(session.token)
    assert isinstance(said, Refusal)
    assert said.code == "SIGN_IN_AGAIN"


@on_reactor
async def test_fifteen_idle_minutes_end_a_session_and_a_second_less_does_not(
    house: OpenHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = Later(house, monkeypatch)
    async with house.terminal("C001") as idle, house.terminal("C002", "ravi") as busy:
        session = await idle.sign_in("asha", PASSWORD)
        for _ in range(2):  # use begins the quarter of an hour anew
            await later.by(IDLE_S - 1)
            assert await idle.code(*DUES) == ""
            assert await busy.code(*DUES) == ""
        await later.by(IDLE_S - 1)
        assert ended(house, session) is None
        assert await busy.code(*DUES) == ""
        await later.by(1)
        await signed_out(idle, "SESSION_IDLE")
        assert ended(house, session) == "IDLE"
        await over_for_good(idle, session)
        assert await busy.code(*DUES) == ""


@on_reactor
async def test_twelve_hours_end_a_session_that_was_never_idle(
    house: OpenHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with house.terminal("C003") as terminal:
        session = await terminal.sign_in("asha", PASSWORD)
        assert session.expires_s == ABSOLUTE_S
        later = Later(house, monkeypatch)
        left_s = ABSOLUTE_S - 60.0
        while left_s > 0:
            step_s = min(left_s, IDLE_S - 1)
            await later.by(step_s)
            assert await terminal.code(*DUES) == ""
            left_s -= step_s
        await later.by(60)
        await signed_out(terminal, "SESSION_EXPIRED")
        assert ended(house, session) == "EXPIRED"
        await over_for_good(terminal, session)


@on_reactor
async def test_a_takeover_gives_no_second_more_than_the_database_says_remain(
    house: OpenHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with house.terminal("C004") as terminal:
        session = await terminal.sign_in("asha", PASSWORD)
    _expires_in(house, session, 100)
    async with house.terminal("C004") as terminal:
        again = await terminal.resume(session.token)
        assert isinstance(again, Session)
        assert 0 < again.expires_s <= 100
        later = Later(house, monkeypatch)
        await later.by(100)
        await signed_out(terminal, "SESSION_EXPIRED")
        await over_for_good(terminal, session)


@on_reactor
async def test_past_its_end_by_the_wall_clock_a_session_is_dead_everywhere(
    house: OpenHouse,
) -> None:
    behind = house.house.opening.business
    assert behind is not None
    async with house.terminal("C005") as terminal:
        session = await terminal.sign_in("ravi", PASSWORD)
        assert await terminal.code(*DUES) == ""
        _expires_in(house, session, 0)
        await behind.doors.sessions.check()
        await signed_out(terminal, "SIGN_IN_AGAIN")
        await over_for_good(terminal, session)


def _expires_in(house: OpenHouse, session: Session, seconds: int) -> None:
    """Its twelve hours are over in so many seconds: it was begun earlier."""
    rows = house.rows(
        "UPDATE mpower.sessions SET opened_at = opened_at - interval '12 h',"
        " expires_at = clock_timestamp() + make_interval(secs => %s) WHERE token = %s"
        " RETURNING name",
        *(seconds, session_of(session.token)),
    )
    assert len(rows) == 1
