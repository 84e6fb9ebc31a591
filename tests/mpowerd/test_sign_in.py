"""Signing in: the same words and work for unknown users, delay after five failures, seats, tokens
that survive.
"""

import asyncio
import threading
import time
import unicodedata
from typing import Any

import pytest
from msgspec import structs

from mpowerd.attempts import LONGEST_PAUSE_S
from mpowerd.caller import Caller
from mpowerd.passwords import Passwords, exact, hashed
from mpowerd.seats import Asker
from mpowerd.security.rules import step_of
from mpowerd.sessions import Sessions, session_of
from mpowerd.sign_in import Account, SignIns
from protocols.messages import Resume, SignIn
from protocols.operation import Role
from protocols.refusals import Refused
from tests.mpowerd.people import asker
from tests.postgres_nodes import on_reactor

SECRET = b"12345678901234567890"
"""The secret of RFC 6238's test vectors."""
PASSWORD = "Grüße an alle Zähler"


class People:
    """The security room: asha is a clerk, dev was disabled, meera is an admin."""

    def __init__(self) -> None:
        kept = hashed(PASSWORD)
        self.users = {
            "asha": Account("asha", "Asha R", Role.CLERK, kept, disabled=False),
            "dev": Account("dev", "Dev P", Role.CLERK, kept, disabled=True),
            "meera": Account("meera", "Meera S", Role.ADMIN, kept, disabled=False),
        }
        self.opened: dict[bytes, Caller] = {}
        self.failed: list[tuple[str, str]] = []
        self.spent: list[int] = []

    async def account(self, user: str) -> Account | None:
        return self.users.get(user)

    def must_enrol(self, role: Role, *, has_one: bool) -> bool:
        return role is Role.ADMIN and not has_one

    async def spend_code(self, user: str, step: int) -> bool:
        fresh = step not in self.spent
        self.spent.append(step)
        return fresh

    async def open_session(self, caller: Caller) -> None:
        self.opened[caller.session] = caller

    async def resume(self, session: bytes, asker: Asker) -> tuple[Caller, int] | None:
        found = self.opened.get(session)
        return (found, 100) if found else None

    async def note_failed(self, user: str, asker: Asker, code: str) -> None:
        self.failed.append((user, code))


class Desk:
    def __init__(self) -> None:
        self.now_s = 0.0
        self.wall_s = 59.0
        self.people = People()
        self.passwords = Passwords()

        async def nobody(*_asked: Any) -> Any:
            return []

        self.sessions = Sessions(nobody, nobody, lambda: self.now_s)
        counted = iter(range(100))
        self.pauses: list[float] = []

        async def pause(pause_s: float) -> None:
            self.pauses.append(pause_s)
            self.now_s += pause_s

        self.sign_ins = SignIns(
            self.people,
            self.passwords,
            self.sessions,
            lambda: self.now_s,
            lambda size: bytes([next(counted)]) * size,
            lambda: self.wall_s,
            pause,
        )

    async def code(
        self, user: str, password: str, subject: str = "counter/C001", totp: str = ""
    ) -> str:
        try:
            await self.sign_ins.sign_in(asker(subject), SignIn(user, password, totp))
        except Refused as refused:
            return refused.code
        return ""


@on_reactor
async def test_a_clerk_signs_in_and_only_the_tokens_hash_is_kept() -> None:
    desk = Desk()
    session = await desk.sign_ins.sign_in(asker(), SignIn("asha", PASSWORD))
    assert (session.user, session.role, len(session.token)) == ("asha", "clerk", 16)
    caller = desk.sessions.caller(session_of(session.token))
    assert desk.people.opened == {session_of(session.token): caller}
    assert (caller.counter, caller.person) == ("C001", "Asha R")
    desk.passwords.close()


@on_reactor
async def test_unknown_disabled_and_wrong_hear_the_same_and_are_audited() -> None:
    desk = Desk()
    for user, password in (("nobody", PASSWORD), ("dev", PASSWORD), ("asha", "wrong")):
        assert await desk.code(user, password) == "SIGN_IN_FAILED"
    assert [code for _, code in desk.people.failed] == ["SIGN_IN_FAILED"] * 3
    assert desk.people.opened == {}
    desk.passwords.close()


@on_reactor
async def test_an_unknown_user_costs_the_same_work() -> None:
    desk = Desk()
    checked: list[float] = []
    for stored in (desk.people.users["asha"].password_hash, None):
        began = time.process_time()
        assert not await desk.passwords.matches("wrong", stored)
        checked.append(time.process_time() - began)
    assert checked[1] > checked[0] / 3
    assert not await desk.passwords.matches(PASSWORD, None)
    desk.passwords.close()


@on_reactor
async def test_after_five_failures_even_the_right_password_waits_at_that_desk() -> None:
    desk = Desk()
    for _ in range(5):
        await desk.code("asha", "wrong")
    assert await desk.code("asha", PASSWORD) == "SIGN_IN_LOCKED"
    assert desk.people.failed[-1] == ("asha", "SIGN_IN_LOCKED")
    assert await desk.code("asha", PASSWORD, "counter/C002") == ""
    desk.now_s = 30.0
    assert await desk.code("asha", PASSWORD) == ""
    desk.passwords.close()


@on_reactor
async def test_a_name_that_is_guessed_at_everywhere_is_paused_and_still_signs_in() -> None:
    desk = Desk()
    for n in range(15):
        assert await desk.code("meera", "wrong", f"counter/C{n}") == "SIGN_IN_FAILED"
    assert desk.pauses == [0.5, 1.0, 2.0, 4.0, 8.0]
    assert await desk.code("meera", PASSWORD, "ops/night") == ""
    assert desk.pauses[5:] == [LONGEST_PAUSE_S]
    assert await desk.code("asha", PASSWORD) == ""
    for n in range(11):
        await desk.code("nobody", "wrong", f"counter/C{n}")
    assert desk.pauses[6:] == [0.5]  # whether there is such a user or not
    desk.passwords.close()


@on_reactor
async def test_a_role_signs_in_only_at_its_kind_of_seat() -> None:
    desk = Desk()
    assert await desk.code("meera", PASSWORD) == "CERTIFICATE_ROLE"
    assert await desk.code("asha", PASSWORD, "ops/night") == "CERTIFICATE_ROLE"
    assert await desk.code("meera", PASSWORD, "bank/SBI") == "CERTIFICATE_ROLE"
    assert await desk.code("meera", PASSWORD, "ops/night") == ""
    desk.passwords.close()


@pytest.mark.parametrize(
    ("wall_s", "code"),
    [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (20000000000, "353130")],
)
def test_codes_are_those_of_rfc_6238(wall_s: int, code: str) -> None:
    assert step_of(SECRET, code, wall_s) == wall_s // 30
    assert step_of(SECRET, code, wall_s + 30) == wall_s // 30
    assert step_of(SECRET, code, wall_s - 30) == wall_s // 30
    assert step_of(SECRET, code, wall_s + 90) is None
    assert step_of(SECRET, code[:5], wall_s) is None


@on_reactor
async def test_a_login_with_a_second_factor_needs_its_code_once_and_behind_the_password() -> None:
    desk = Desk()
    account = desk.people.users["asha"]
    desk.people.users["asha"] = structs.replace(account, secret=SECRET)
    assert await desk.code("asha", "wrong", totp="287082") == "SIGN_IN_FAILED"
    assert await desk.code("asha", PASSWORD) == "CODE_NEEDED"
    assert await desk.code("asha", PASSWORD, totp="000000") == "CODE_WRONG"
    assert desk.people.opened == {}
    assert await desk.code("asha", PASSWORD, totp="287082") == ""
    assert await desk.code("asha", PASSWORD, totp="287082") == "CODE_WRONG"
    # who knows a password and has no code leaves a trace too
    told = ["SIGN_IN_FAILED", "CODE_NEEDED", "CODE_WRONG", "CODE_WRONG"]
    assert [code for _, code in desk.people.failed] == told
    desk.passwords.close()


@on_reactor
async def test_a_role_that_needs_a_second_factor_signs_in_only_to_enrol() -> None:
    desk = Desk()
    seat = asker("ops/night")
    bare = await desk.sign_ins.sign_in(seat, SignIn("meera", PASSWORD))
    assert desk.sessions.caller(session_of(bare.token)).must_enrol
    account = desk.people.users["meera"]
    desk.people.users["meera"] = structs.replace(account, secret=SECRET)
    full = await desk.sign_ins.sign_in(seat, SignIn("meera", PASSWORD, "287082"))
    assert not desk.sessions.caller(session_of(full.token)).must_enrol
    desk.passwords.close()


@on_reactor
async def test_guessing_codes_is_delayed_like_guessing_passwords() -> None:
    desk = Desk()
    account = desk.people.users["asha"]
    desk.people.users["asha"] = structs.replace(account, secret=SECRET)
    for _ in range(5):
        assert await desk.code("asha", PASSWORD, totp="000000") == "CODE_WRONG"
    assert await desk.code("asha", PASSWORD, totp="287082") == "SIGN_IN_LOCKED"
    desk.passwords.close()


@on_reactor
async def test_a_token_is_taken_up_again_only_at_the_certificate_it_was_made_at() -> None:
    desk = Desk()
    session = await desk.sign_ins.sign_in(asker(), SignIn("asha", PASSWORD))
    desk.sessions.clear()
    again = await desk.sign_ins.resume(asker(), Resume(session.token))
    assert (again.token, again.expires_s) == (session.token, 100)
    for subject, token in (("counter/C002", session.token), ("counter/C001", b"\xff" * 16)):
        with pytest.raises(Refused, match="SIGN_IN_AGAIN"):
            await desk.sign_ins.resume(asker(subject), Resume(token))
    desk.passwords.close()


def test_a_password_is_its_exact_bytes_after_nfc() -> None:
    assert exact(unicodedata.normalize("NFD", PASSWORD)) == exact(PASSWORD)
    assert exact(" x ") == b" x "
    with pytest.raises(Refused):
        exact("x" * 257)


@on_reactor
async def test_too_many_checks_at_once_are_busy() -> None:
    desk = Desk()
    desk.passwords._waiting = 64
    with pytest.raises(Refused, match="BUSY"):
        await desk.passwords.matches("x", None)
    with pytest.raises(Refused, match="BUSY"):
        await desk.passwords.hashed("x")
    desk.passwords.close()


@on_reactor
async def test_a_password_is_hashed_in_the_same_bounded_threads() -> None:
    others = set(threading.enumerate())  # earlier tests' threads may still be there
    desk = Desk()
    kept = await asyncio.gather(*(desk.passwords.hashed(PASSWORD) for _ in range(4)))
    assert len(set(kept)) == 4
    assert await desk.passwords.matches(PASSWORD, kept[0])
    names = {one.name for one in set(threading.enumerate()) - others}
    assert names == {"argon2_0", "argon2_1"}
    desk.passwords.close()
