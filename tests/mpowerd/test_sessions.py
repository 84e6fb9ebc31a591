"""A session dies here when it should: ended in the database, idle, too old, or nobody can say."""

from collections.abc import Collection, Sequence

import pytest

from mpowerd import sessions as room
from mpowerd.caller import Caller
from mpowerd.sessions import Sessions
from protocols.refusals import Refused
from tests.mpowerd.people import caller
from tests.postgres_nodes import on_reactor

ASHA, RAVI = caller(), caller(user="ravi", subject="counter/C002")


class Registry:
    """The database's view: which sessions stand."""

    def __init__(self) -> None:
        self.standing = {ASHA.session, RAVI.session}
        self.ended: list[bytes] = []
        self.now_s = 1000.0
        self.broken = False

    async def alive(self, asked: Sequence[Caller]) -> Collection[bytes]:
        if self.broken:
            raise ConnectionError("no database")
        return self.standing & {one.session for one in asked}

    async def end(self, sessions: Sequence[bytes], why: str) -> None:
        self.ended += sessions
        self.standing -= set(sessions)

    def clock(self) -> float:
        return self.now_s

    def sessions(self) -> Sessions:
        made = Sessions(self.alive, self.end, self.clock)
        made.begin(ASHA, room.ABSOLUTE_S)
        made.begin(RAVI, room.ABSOLUTE_S)
        return made


def code_of(sessions: Sessions, session: bytes) -> str:
    try:
        sessions.caller(session)
    except Refused as refused:
        return refused.code
    return ""


@on_reactor
async def test_an_ended_session_is_dead_after_the_next_check_and_its_connection_hears_it() -> None:
    registry = Registry()
    heard: list[tuple[bytes, str]] = []
    sessions = registry.sessions()
    sessions.ended = lambda session, code: heard.append((session, code))
    registry.standing.discard(ASHA.session)
    assert room.CHECK_EVERY_S * 2 < room.CHECKED_WITHIN_S <= 5
    await sessions.check()
    assert code_of(sessions, ASHA.session) == "SIGN_IN_AGAIN"
    assert sessions.caller(RAVI.session) == RAVI
    assert heard == [(ASHA.session, "SIGN_IN_AGAIN")]


@on_reactor
async def test_a_sign_in_is_fresh_for_a_time_and_a_resumed_one_no_longer_than_it_is_old() -> None:
    registry = Registry()
    sessions = registry.sessions()
    assert sessions.fresh(ASHA.session)
    registry.now_s += room.FRESH_S
    assert sessions.fresh(ASHA.session)
    registry.now_s += 0.1
    assert not sessions.fresh(ASHA.session)
    sessions.begin(RAVI, room.ABSOLUTE_S - room.FRESH_S - 1)  # resumed: a takeover is no sign-in
    assert not sessions.fresh(RAVI.session)
    assert not sessions.fresh(b"nobody's")


@on_reactor
async def test_who_has_to_sign_in_again_hears_why_and_the_session_is_over() -> None:
    registry = Registry()
    heard: list[tuple[bytes, str]] = []
    sessions = registry.sessions()
    sessions.ended = lambda session, code: heard.append((session, code))
    await sessions.prove_again(ASHA.session)
    await sessions.prove_again(ASHA.session)
    assert heard == [(ASHA.session, "PROVE_AGAIN")]
    assert code_of(sessions, ASHA.session) == "SIGN_IN_AGAIN"
    assert registry.ended == [ASHA.session]


@on_reactor
async def test_nobody_passes_while_the_database_cannot_be_asked() -> None:
    registry = Registry()
    sessions = registry.sessions()
    registry.broken = True
    for _ in range(4):
        registry.now_s += room.CHECK_EVERY_S
        with pytest.raises(ConnectionError):
            await sessions.check()
    assert code_of(sessions, ASHA.session) == "BUSY"
    registry.broken = False
    await sessions.check()
    assert code_of(sessions, ASHA.session) == ""


@on_reactor
async def test_an_idle_session_ends_here_and_in_the_database() -> None:
    registry = Registry()
    sessions = registry.sessions()
    for _ in range(200):
        registry.now_s += 5
        await sessions.check()
        if code_of(sessions, RAVI.session):
            break
    assert code_of(sessions, RAVI.session) == ""
    assert code_of(sessions, ASHA.session) == "SIGN_IN_AGAIN"
    assert registry.ended == [ASHA.session]


@on_reactor
async def test_use_never_extends_the_absolute_end() -> None:
    registry = Registry()
    sessions = registry.sessions()
    end_s = registry.now_s + room.ABSOLUTE_S
    while registry.now_s < end_s:
        assert code_of(sessions, ASHA.session) == ""
        registry.now_s = min(end_s, registry.now_s + 600)
        await sessions.check()
    assert code_of(sessions, ASHA.session) == "SIGN_IN_AGAIN"


@on_reactor
async def test_a_signed_out_session_is_gone() -> None:
    registry = Registry()
    sessions = registry.sessions()
    await sessions.forget(ASHA.session)
    await sessions.forget(ASHA.session)
    assert registry.ended == [ASHA.session]
    assert code_of(sessions, ASHA.session) == "SIGN_IN_AGAIN"


def test_there_is_room_for_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = Registry()
    sessions = registry.sessions()
    monkeypatch.setattr(room, "LIMIT", 2)
    with pytest.raises(Refused, match="BUSY"):
        sessions.begin(caller(user="third"), 60)
    sessions.begin(ASHA, 60)
    sessions.clear()
    assert len(sessions) == 0
