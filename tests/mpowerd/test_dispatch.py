"""The one door: what is refused, in which order, and what reaches a room. The whole matrix role ×
operation.
"""

import asyncio
from typing import Any

import pytest
from msgspec import Raw, msgpack, structs

from mpowerd.caller import Caller, Key
from mpowerd.database import Busy, Doubtful, Gated
from mpowerd.dispatch import ENROLS, Asked, Dispatch
from mpowerd.outcomes import Outcome
from mpowerd.seats import is_own
from mpowerd.sessions import ABSOLUTE_S, FRESH_S, Sessions
from protocols.catalogue import CATALOGUE
from protocols.codec import encode, encode_for_client, from_server
from protocols.messages import MAX_BODY_BYTES, MAX_FRAME_BYTES, Refusal, Reply, Request
from protocols.operation import Operation, Role
from protocols.refusals import Refused
from tests.mpowerd.people import CLIENT, asker, caller, request
from tests.postgres_nodes import on_reactor
from tests.protocols import examples

BODIES: dict[str, Any] = {name: asked for name, (asked, _) in examples.BODIES.items()}
TAKE = structs.astuple(BODIES["payments.take"])


def declared(name: str) -> Operation:
    found = CATALOGUE.get(name)
    assert found is not None, name
    return found


class Rooms:
    """Remembers what reached it. ``wrong`` is raised by every call; ``earlier`` are outcomes of
    keys used before.
    """

    def __init__(self) -> None:
        self.calls: list[tuple[str, Asked]] = []
        self.wrong: Exception | None = None
        self.earlier: dict[int, Outcome] = {}
        self.reply = b"\x90"

    async def read(self, asked: Asked) -> Outcome:
        return self._done("read", asked)

    async def write(self, asked: Asked) -> Outcome:
        done = self._done("write", asked)
        return self.earlier.get(asked.key.sequence, done) if asked.key is not None else done

    async def refuse_key(self, asked: Asked, refused: Refused) -> Outcome:
        self._done("refuse_key", asked)
        assert asked.key is not None
        stored = Outcome(None, (refused.code, refused.sentence), replay=False)
        return self.earlier.get(asked.key.sequence, stored)

    async def recall(self, asked: Asked, refused: Refused) -> Outcome:
        self._done("recall", asked)
        assert asked.key is not None
        if asked.key.sequence not in self.earlier:
            raise refused
        return self.earlier[asked.key.sequence]

    async def note_refusal(self, asked: Asked, refused: Refused) -> None:
        self._done("note_refusal", asked)

    def take(self, key: Key, who: Caller, body: Any, answer: Any) -> None:
        self.calls.append(("lane", Asked(declared("payments.take"), who, key, b"", body)))
        answer(Outcome(b"\x90", None, replay=False))

    def _done(self, what: str, asked: Asked) -> Outcome:
        self.calls.append((what, asked))
        if self.wrong is not None:
            raise self.wrong
        return Outcome(self.reply, None, replay=False)


class Door:
    """A dispatch on remembering rooms, with these people signed in."""

    def __init__(self, *people: Caller, lasts_s: float = 60) -> None:
        self.rooms = Rooms()

        async def nobody(*_asked: Any) -> Any:
            return []

        self.sessions = sessions = Sessions(nobody, nobody, lambda: 0.0)
        for one in people:
            if one.session:
                sessions.begin(one, lasts_s)
        self.dispatch = Dispatch(
            CATALOGUE, self.rooms, sessions, {"payments.take": self.rooms.take}
        )

    async def ask(self, who: Caller | None, said: Request, subject: str = "") -> Reply | Refusal:
        answers: asyncio.Queue[Reply | Refusal] = asyncio.Queue()
        seat = subject or (who.subject if who else "counter/C001")
        session = who.session if who and who.session else None
        self.dispatch.ask(asker(seat), session, said, answers.put_nowait)
        answer = await answers.get()
        assert answers.empty(), "one answer"
        assert answer.seq == said.seq
        return answer

    def reached(self) -> list[str]:
        return [what for what, _ in self.rooms.calls]


def said_for(operation: Operation, sequence: int = 7) -> Request:
    return request(operation.name, BODIES[operation.name], 3, sequence if operation.keyed else None)


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("operation", list(CATALOGUE), ids=lambda one: one.name)
@on_reactor
async def test_the_matrix_role_by_operation(operation: Operation, role: Role) -> None:
    who = caller(role)
    door = Door(who)
    answer = await door.ask(who, said_for(operation))
    if role in operation.roles or is_own(who.subject, operation):
        assert isinstance(answer, Reply)
        served = "lane" if operation.name == "payments.take" else "write"
        assert door.reached() == [served if operation.keyed else "read"]
    elif role is Role.TERMINAL:  # what is not the machine's own needs a person
        assert isinstance(answer, Refusal)
        assert answer.code == "SIGN_IN_AGAIN"
        assert door.reached() == []
    else:
        assert isinstance(answer, Refusal)
        assert answer.code == "ROLE"
        assert answer.final
        assert answer.sentence.startswith(f"{operation.purpose} is not allowed for the role {role}")
        assert door.reached() == ["refuse_key" if operation.keyed else "note_refusal"]


@pytest.mark.parametrize("operation", [one for one in CATALOGUE if one.again], ids=lambda o: o.name)
@on_reactor
async def test_who_signed_in_long_ago_is_told_so_to_what_asks_again(operation: Operation) -> None:
    (role,) = sorted(operation.roles)[:1]
    assert operation.keyed, "only what changes something decides about much"
    for age_s, fresh in ((FRESH_S, True), (FRESH_S + 1, False)):
        who = caller(role)
        door = Door(who, lasts_s=ABSOLUTE_S - age_s)
        assert isinstance(await door.ask(who, said_for(operation)), Reply)
        assert door.rooms.calls[-1][1].caller == structs.replace(who, fresh=fresh)


@on_reactor
async def test_the_session_ends_where_its_person_has_to_sign_in_again() -> None:
    who = caller(Role.ADMIN)
    door = Door(who)
    no = Refused("PROVE_AGAIN")
    door.rooms.earlier[7] = Outcome(None, (no.code, no.sentence), replay=False)
    heard: list[str] = []
    door.sessions.ended = lambda _session, code: heard.append(code)
    answer = await door.ask(who, said_for(declared("security.break_glass")))
    assert isinstance(answer, Refusal)
    assert (answer.code, answer.final, heard) == ("PROVE_AGAIN", False, ["PROVE_AGAIN"])
    again = await door.ask(who, said_for(declared("security.break_glass")))
    assert isinstance(again, Refusal)
    assert again.code == "SIGN_IN_AGAIN"


@on_reactor
async def test_a_clerk_who_lost_the_role_still_gets_the_receipt_of_what_was_taken() -> None:
    officer = caller(Role.OFFICER)
    door = Door(officer)
    door.rooms.earlier[7] = Outcome(b"\x91\x01", None, replay=True)
    answer = await door.ask(officer, request("payments.take", BODIES["payments.take"], 3, 7))
    assert answer == Reply(3, Raw(b"\x91\x01"), replay=True)


@on_reactor
async def test_what_another_person_saved_is_told_and_never_done() -> None:
    officer, clerk = caller(Role.OFFICER), caller(Role.CLERK, user="bina")
    for who in (officer, clerk):
        for name in ("payments.take", "payments.cancel"):
            door = Door(who)
            asked = structs.replace(request(name, BODIES[name], 3, 7), by="ravi")
            answer = await door.ask(who, asked)
            assert isinstance(answer, Refusal)
            assert (answer.code, answer.final) == ("SAVED_BY_ANOTHER", False)
            assert door.reached() == ["recall"]
            door.rooms.earlier[7] = Outcome(b"\x91\x01", None, replay=True)
            assert await door.ask(who, asked) == Reply(3, Raw(b"\x91\x01"), replay=True)
    door = Door(clerk)
    own = structs.replace(request("payments.take", BODIES["payments.take"], 3, 7), by="bina")
    await door.ask(clerk, own)
    assert door.reached() == ["lane"]


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (request("payments.give", [], 1, 1), "UNKNOWN_OPERATION"),
        (request("payments.take", BODIES["payments.take"], 1, None), "KEY_MISSING"),
        (request("payments.mine", [50], 1, 1), "KEY_NOT_ALLOWED"),
        (request("payments.take", ["1000000001", "12500"], 1, 1), "BAD_BODY"),
        (request("payments.take", ["१०००००००००", 12500], 1, 1), "BAD_BODY"),
        (
            request("payments.take", [*structs.astuple(BODIES["payments.take"]), "more"], 1, 1),
            "BAD_BODY",
        ),
        (request("payments.take", ["1000000001", 12500.0], 1, 1), "BAD_BODY"),
        (request("payments.take", ["1000000001", 2**63], 1, 1), "BAD_BODY"),
    ],
)
@on_reactor
async def test_what_does_not_read_reaches_no_room(said: Request, code: str) -> None:
    clerk = caller()
    door = Door(clerk)
    answer = await door.ask(clerk, said)
    assert isinstance(answer, Refusal)
    assert answer.code == code
    assert door.reached() == []


@on_reactor
async def test_without_a_session_nothing_reaches_a_key() -> None:
    clerk = caller()
    take = request("payments.take", BODIES["payments.take"], 1, 1)
    door = Door()
    for who, subject in ((None, ""), (clerk, "")):
        answer = await door.ask(who, take, subject)
        assert isinstance(answer, Refusal)
        assert (answer.code, answer.final) == ("SIGN_IN_AGAIN", False)
    door = Door(clerk)
    stolen = await door.ask(clerk, take, "counter/C002")
    assert isinstance(stolen, Refusal)
    assert stolen.code == "SIGN_IN_AGAIN"
    assert door.reached() == []


@on_reactor
async def test_a_role_works_only_from_a_seat_of_its_kind() -> None:
    misplaced = caller(Role.ADMIN, subject="counter/C001")
    door = Door(misplaced)
    answer = await door.ask(misplaced, said_for(declared("security.add_user")))
    assert isinstance(answer, Refusal)
    assert answer.code == "CERTIFICATE_ROLE"
    assert door.reached() == ["refuse_key"]


@on_reactor
async def test_a_bank_acts_for_itself_and_only_with_its_own_operations() -> None:
    bank = caller(Role.BANK)
    door = Door()
    posted = await door.ask(bank, said_for(declared("banking.post")))
    assert isinstance(posted, Reply)
    asked = door.rooms.calls[0][1]
    assert asked.key == Key("SBI", CLIENT, 7)
    assert (asked.caller.role, asked.caller.user) == (Role.BANK, "bank/SBI")


@on_reactor
async def test_a_machine_asks_what_is_its_own_itself_whoever_sits_there() -> None:
    clerk = caller()
    door = Door(clerk)
    assert isinstance(await door.ask(clerk, said_for(declared("certificates.ask"))), Reply)
    by = door.rooms.calls[0][1].caller
    assert (by.role, by.user, by.session) == (Role.TERMINAL, "counter/C001", b"")


@on_reactor
async def test_the_counter_of_a_key_comes_from_the_certificate() -> None:
    clerk, admin = caller(), caller(Role.ADMIN)
    door = Door(clerk, admin)
    await door.ask(clerk, said_for(declared("payments.take")))
    await door.ask(admin, said_for(declared("security.add_user")))
    keys = [asked.key.counter for _, asked in door.rooms.calls if asked.key]
    assert keys == ["C001", "OPS"]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (Doubtful(), "PENDING"),
        (Gated(), "NOT_PRIMARY"),
        (Busy(), "BUSY"),
        (Refused("DAY_CLOSED", date="2026-04-01"), "DAY_CLOSED"),
        (ZeroDivisionError("a secret of the inside"), "FAULT"),
    ],
)
@on_reactor
async def test_however_it_ends_the_client_hears_only_what_it_may(
    wrong: Exception, code: str
) -> None:
    officer = caller(Role.OFFICER)
    door = Door(officer)
    door.rooms.wrong = wrong
    answer = await door.ask(officer, said_for(declared("days.close")))
    assert isinstance(answer, Refusal)
    final = code == "DAY_CLOSED"
    assert (answer.code, answer.final) == (code, final)
    assert "secret" not in answer.sentence
    assert (answer.retry_ms > 0) is not final


@on_reactor
async def test_an_unaudited_refusal_is_not_said() -> None:
    clerk = caller()
    door = Door(clerk)
    door.rooms.wrong = ConnectionError("no audit")
    answer = await door.ask(clerk, said_for(declared("security.sessions")))
    assert isinstance(answer, Refusal)
    assert answer.code == "FAULT"


@on_reactor
async def test_more_than_the_rooms_can_bear_is_busy() -> None:
    officer = caller(Role.OFFICER)
    door = Door(officer)
    held = asyncio.Event()

    async def slow(asked: Asked) -> Outcome:
        await held.wait()
        return Outcome(b"\x90", None, replay=False)

    door.rooms.read = slow  # type: ignore[method-assign]
    answers: list[Reply | Refusal] = []
    for seq in range(1, 300):
        said = request("consumers.dues", BODIES["consumers.dues"], seq)
        door.dispatch.ask(asker(), officer.session, said, answers.append)
    assert {one.code for one in answers if isinstance(one, Refusal)} == {"BUSY"}
    held.set()
    await door.dispatch.close()
    assert len(answers) == 299


@pytest.mark.parametrize(
    "operation",
    [one for one in CATALOGUE if Role.ADMIN in one.roles],
    ids=lambda one: one.name,
)
@on_reactor
async def test_who_has_to_enrol_first_can_do_nothing_else(operation: Operation) -> None:
    bare = structs.replace(caller(Role.ADMIN), must_enrol=True)
    door = Door(bare)
    answer = await door.ask(bare, said_for(operation))
    if operation.name == ENROLS:
        assert isinstance(answer, Reply)
    else:
        assert isinstance(answer, Refusal)
        assert answer.code == "ENROL_FIRST"


@on_reactor
async def test_an_answer_longer_than_a_frame_is_refused_and_breaks_no_connection() -> None:
    admin = caller(Role.ADMIN)
    for size, code in ((MAX_BODY_BYTES, ""), (MAX_BODY_BYTES + 1, "TOO_LONG")):
        door = Door(admin)
        door.rooms.reply = msgpack.encode("x" * (size - 3))
        answer = await door.ask(admin, said_for(declared("security.sessions")))
        assert (len(door.rooms.reply), getattr(answer, "code", "")) == (size, code)
        assert len(encode(answer)) <= MAX_FRAME_BYTES
        assert from_server(encode_for_client(answer)) == answer
