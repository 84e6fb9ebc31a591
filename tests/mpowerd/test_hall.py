"""Connections in the hall: greeted as the node stands, displaced by newer ones, closed when silent
or the gate shuts.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from mpowerd.connection import SILENT_S, Connection
from mpowerd.database import Doubtful
from mpowerd.hall import Doors, Hall
from mpowerd.quarrels import QUARREL, QUARREL_S, TOLD_S
from mpowerd.seats import Asker
from mpowerd.sessions import session_of
from protocols.codec import encode, from_server
from protocols.messages import (
    Beat,
    FromServer,
    Hello,
    Message,
    Notice,
    NotPrimary,
    Refusal,
    Reply,
    Request,
    Resume,
    Session,
    SignIn,
    SignOut,
    Welcome,
)
from protocols.refusals import Refused
from protocols.subject import Kind, Subject
from tests.mpowerd.people import request
from tests.postgres_nodes import on_reactor

WELCOME = Welcome(1, "a", 7, 3, 65536, 8, 20_000)
TOKEN = bytes(range(16))


class Wire:
    """A line that remembers what was sent on it."""

    def __init__(self, kind: Kind = "counter", name: str = "C001", port: int = 1) -> None:
        self.subject: Subject | None = Subject("delhi", kind, name)
        self.address = f"10.0.0.1:{port}"
        self.said: list[FromServer] = []
        self.closed = self.aborted = self.was_greeted = self.paused = False

    def send(self, payload: bytes) -> None:
        assert not self.closed, "sent after close"
        self.said.append(from_server(payload))

    def greeted(self) -> None:
        self.was_greeted = True

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False

    def close(self) -> None:
        self.closed = True

    def abort(self, why: str) -> None:
        self.aborted = True


class Desk:
    """Dispatch, sign-ins and sessions in one: remembers, answers when told."""

    def __init__(self) -> None:
        self.asked: list[tuple[Asker, bytes | None, Request, Callable[..., None]]] = []
        self.forgotten: list[bytes] = []
        self.displaced: list[tuple[Asker, int]] = []
        self.ended: Callable[[bytes], None] = lambda _session: None

    def ask(
        self, asker: Asker, session: bytes | None, said: Request, answer: Callable[..., None]
    ) -> None:
        self.asked.append((asker, session, said, answer))

    async def sign_in(self, asker: Asker, claim: SignIn) -> Session:
        if claim.password == "during a takeover":
            raise Doubtful("the standing changed during COMMIT")
        if claim.password != "right":
            raise Refused("SIGN_IN_FAILED", wait_s=30)
        return Session(TOKEN, claim.user, "clerk", 43200)

    async def resume(self, asker: Asker, claim: Resume) -> Session:
        if claim.token != TOKEN:
            raise Refused("SIGN_IN_AGAIN")
        return Session(TOKEN, "asha", "clerk", 100)

    async def forget(self, session: bytes) -> None:
        self.forgotten.append(session)

    async def note_displaced(self, newer: Asker, times: int) -> None:
        self.displaced.append((newer, times))


class Scene:
    """A hall with a desk, and a clock to turn."""

    def __init__(self, *, opened: bool = True) -> None:
        self.now_s = 0.0
        self.desk: Any = Desk()
        self.epochs: list[int] = []
        self.alarms: dict[str, str] = {}
        self.hall = Hall(
            lambda: self.now_s,
            NotPrimary(6, "b:7001"),
            self.epochs.append,
            alarm=self.alarms.__setitem__,
        )
        if opened:
            self.open()

    def open(self) -> None:
        doors = Doors(self.desk, self.desk, self.desk, self.desk.note_displaced)
        self.hall.open(WELCOME, doors)

    def arrive(self, wire: Wire, *said: Message) -> Connection:
        connection = Connection(self.hall)
        connection.stream_up(wire)
        for message in said:
            connection.frame_came(wire, encode(message))
        return connection


async def turn() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@on_reactor
async def test_a_sign_in_in_doubt_is_busy_for_it_is_no_payment() -> None:
    scene, wire = Scene(), Wire()
    scene.arrive(wire, Hello(1, "test"), SignIn("asha", "during a takeover"))
    await turn()
    said = wire.said[-1]
    assert isinstance(said, Refusal)
    assert (said.seq, said.code, said.final) == (0, "BUSY", False)
    assert said.retry_ms > 0
    assert "payment" not in said.sentence


@on_reactor
async def test_a_clerk_signs_in_asks_and_is_answered() -> None:
    scene, wire = Scene(), Wire()
    connection = scene.arrive(wire, Hello(1, "test"), SignIn("asha", "right"))
    await turn()
    assert wire.said == [WELCOME, Session(TOKEN, "asha", "clerk", 43200)]
    assert wire.was_greeted
    said = request("payments.mine", [50], 9)
    connection.frame_came(wire, encode(said))
    asker, session, asked, answer = scene.desk.asked[0]
    assert (asker, session) == (Asker("counter/C001", "10.0.0.1:1"), session_of(TOKEN))
    assert asked == said
    answer(Reply(9, said.body))
    assert wire.said[-1] == Reply(9, said.body)
    connection.frame_came(wire, encode(SignOut()))
    await turn()
    assert scene.desk.forgotten == [session_of(TOKEN)]


@on_reactor
async def test_a_wrong_password_is_said_and_the_connection_stays() -> None:
    scene, wire = Scene(), Wire()
    scene.arrive(wire, Hello(1, "test"), SignIn("asha", "wrong"))
    await turn()
    assert isinstance(wire.said[-1], Refusal)
    assert wire.said[-1].code == "SIGN_IN_FAILED"
    assert not wire.closed


@on_reactor
async def test_who_waits_is_welcomed_when_the_node_opens_and_sent_away_when_it_shuts() -> None:
    scene, wire, late = Scene(opened=False), Wire(), Wire(name="C002")
    scene.arrive(wire, Hello(1, "test"))
    assert wire.said == [NotPrimary(6, "b:7001")]
    scene.open()
    assert encode(wire.said[-1]) == encode(WELCOME)
    gone = NotPrimary(8, "b:7001")
    scene.hall.close(gone)
    assert encode(wire.said[-1]) == encode(gone)
    assert wire.closed
    scene.arrive(late, Hello(1, "test"))
    assert [encode(one) for one in late.said] == [encode(gone)]


@on_reactor
async def test_what_is_asked_while_the_doors_are_shut_is_not_primary() -> None:
    scene, wire = Scene(), Wire()
    connection = scene.arrive(wire, Hello(1, "test"), Resume(TOKEN))
    scene.hall._doors = None
    await turn()
    connection.frame_came(wire, encode(request("days.today", [], 4)))
    assert scene.desk.asked == []
    assert isinstance(wire.said[-1], Refusal)


@on_reactor
async def test_the_newest_connection_of_a_certificate_wins() -> None:
    scene, older, newer, other = Scene(), Wire(port=1), Wire(port=2), Wire(name="C002")
    first = scene.arrive(older, Hello(1, "test"))
    scene.arrive(other, Hello(1, "test"))
    scene.arrive(newer, Hello(1, "test"))
    await turn()
    assert isinstance(older.said[-1], Notice)
    assert (older.said[-1].kind, older.closed) == ("displaced", True)
    assert not newer.closed
    assert not other.closed
    assert scene.desk.displaced == [(Asker("counter/C001", "10.0.0.1:2"), 1)]
    first.stream_down(older, "closed")
    assert len(list(scene.hall)) == 2


@on_reactor
async def test_an_operator_may_run_several_commands_at_once() -> None:
    scene = Scene()
    wires = [Wire("ops", "night", port) for port in range(5)]
    for wire in wires:
        scene.arrive(wire, Hello(1, "test"))
    assert [wire.closed for wire in wires] == [True, False, False, False, False]
    await turn()


@on_reactor
async def test_two_that_keep_displacing_each_other_raise_an_alarm_until_they_stop() -> None:
    scene = Scene()
    for port in range(QUARREL + 1):
        assert scene.alarms == {}, "a bad line is no alarm"
        scene.now_s += 1
        scene.arrive(Wire(port=port), Hello(1, "test"))
    await turn()
    assert "counter/C001 (10.0.0.1)" in scene.alarms["certificate-copied"]
    scene.now_s += QUARREL_S - 1
    scene.hall.sweep()
    assert scene.alarms["certificate-copied"]
    scene.now_s += 2
    scene.hall.sweep()
    assert scene.alarms == {"certificate-copied": ""}


@on_reactor
async def test_a_flood_of_displacements_is_told_one_by_one_and_then_once_a_minute() -> None:
    scene, calls = Scene(), 1_000
    for port in range(calls + 1):
        scene.now_s += 0.03
        scene.arrive(Wire(port=port), Hello(1, "test"))
    scene.arrive(Wire(name="C002", port=1), Hello(1, "test"))
    scene.arrive(Wire(name="C002", port=2), Hello(1, "test"))
    await turn()
    told = [times for newer, times in scene.desk.displaced if newer.subject == "counter/C001"]
    assert told == [1] * (QUARREL - 1)
    assert scene.desk.displaced[-1] == (Asker("counter/C002", "10.0.0.1:2"), 1)
    scene.now_s += TOLD_S
    scene.hall.sweep()
    await turn()
    assert scene.desk.displaced[-1] == (
        Asker("counter/C001", f"10.0.0.1:{calls}"),
        calls - (QUARREL - 1),
    )
    told = [times for newer, times in scene.desk.displaced if newer.subject == "counter/C001"]
    assert sum(told) == calls
    scene.now_s += QUARREL_S + 1
    scene.hall.sweep()
    scene.hall.sweep()
    await turn()
    assert sum(times for newer, times in scene.desk.displaced) == calls + 1


@on_reactor
async def test_a_line_that_comes_back_now_and_then_is_no_copy() -> None:
    scene = Scene()
    for port in range(3 * QUARREL):
        scene.now_s += QUARREL_S / (QUARREL - 1)
        scene.arrive(Wire(port=port), Hello(1, "test"))
        scene.hall.sweep()
    await turn()
    assert scene.alarms == {}


@on_reactor
async def test_a_silent_connection_is_closed_and_one_that_beats_is_not() -> None:
    scene, silent, beating = Scene(), Wire(), Wire(name="C002")
    scene.arrive(silent, Hello(1, "test"))
    connection = scene.arrive(beating, Hello(1, "test"))
    for _ in range(5):
        scene.now_s += SILENT_S / 4
        connection.frame_came(beating, encode(Beat()))
        scene.hall.sweep()
    assert silent.closed
    assert not beating.closed
    assert beating.said[-1] == Beat()


@on_reactor
async def test_a_session_that_ended_elsewhere_is_said_on_its_connection() -> None:
    scene, wire = Scene(), Wire()
    connection = scene.arrive(wire, Hello(1, "test"), Resume(TOKEN))
    await turn()
    scene.desk.ended(session_of(TOKEN), "SIGN_IN_AGAIN")
    assert isinstance(wire.said[-1], Refusal)
    assert wire.said[-1].code == "SIGN_IN_AGAIN"
    connection.frame_came(wire, encode(request("days.today", [], 4)))
    assert scene.desk.asked == []


@on_reactor
async def test_unreadable_bytes_are_named_and_nobody_else_suffers() -> None:
    scene, bad, good = Scene(), Wire(), Wire(name="C002")
    connection = scene.arrive(bad, Hello(1, "test"))
    scene.arrive(good, Hello(1, "test"))
    connection.frame_came(bad, b"\xff\xff")
    assert isinstance(bad.said[-1], Refusal)
    assert (bad.said[-1].code, bad.said[-1].seq, bad.closed) == ("BAD_FRAME", 0, True)
    assert not good.closed


@on_reactor
async def test_a_line_that_goes_while_a_password_is_checked_leaves_nothing() -> None:
    scene, wire = Scene(), Wire()
    connection = scene.arrive(wire, Hello(1, "test"), SignIn("asha", "right"))
    connection.stream_down(wire, "closed")
    await turn()
    assert list(scene.hall) == []
    assert wire.said == [WELCOME]


@on_reactor
async def test_a_later_epoch_that_a_terminal_has_seen_is_passed_on() -> None:
    scene, wire = Scene(), Wire()
    scene.arrive(wire, Hello(1, "test", 9))
    assert scene.epochs == [9]
    assert isinstance(wire.said[-1], NotPrimary)
