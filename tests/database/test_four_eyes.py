"""Four eyes on a real PostgreSQL: the maker is never the checker, whatever the login."""

from __future__ import annotations

import base64
import time
from typing import Any

import psycopg
import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from msgspec import msgpack
from msgspec.structs import replace
from psycopg import errors

from mpowerd.chores import expire_requests
from protocols.catalogue import approvals as words
from protocols.catalogue.approvals import Answer, Approve, Pending
from protocols.catalogue.security import (
    AllowReset,
    Appoint,
    DisableUser,
    EnableUser,
    EnrolFactor,
    GrantPower,
    Powers,
    ResetFactor,
    ResetPassword,
    WithdrawPower,
)
from protocols.operation import Role
from protocols.powers import Power
from tests.database.town import Town, add_people, town
from tests.postgres_nodes import Node, on_reactor

MORE = {
    "anita": ("E-ANITA", Role.ADMIN, "ops/desk2"),
    "adil.again": ("E-ADIL", Role.ADMIN, "ops/desk3"),
    "ravi": ("E-RAVI", Role.OFFICER, "counter/C002"),
}
SECRET = b"12345678901234567890"
REASON = "order 17 of the circle"
PROMOTE = Appoint("bina", Role.OFFICER, REASON)
OF_OMAR = GrantPower("E-OMAR", Power.REFUND, 500_00, "HO", "2026-01-01", REASON)


def seen(asked: Pending, remark: str = "seen") -> Approve:
    """Approve what was asked, as shown."""
    return Approve(asked.request, asked.version, asked.content, remark)


def answering(asked: Pending, remark: str = "not so") -> Answer:
    return Answer(asked.request, asked.version, asked.content, remark)


def role_of(t: Town, user: str) -> str:
    return str(t.look("SELECT role FROM mpower.users WHERE name = %s", user)[0][0])


def acts(t: Town, request: int) -> list[str]:
    rows = t.look("SELECT act FROM mpower.approval_acts WHERE request = %s ORDER BY step", request)
    return [one for (one,) in rows]


@on_reactor
async def test_a_second_person_approves_and_only_then_it_is_done(node: Node) -> None:
    async with town(node) as t:
        add_people(t, MORE)
        asked: Pending = await t.done("adil", "security.appoint", PROMOTE)
        assert (asked.done, role_of(t, "bina")) == (False, "clerk")
        (waiting,) = (await t.read("anita", "approvals.inbox", words.Inbox())).requests
        assert (waiting.request, waiting.object) == (asked.request, "user bina of E-BINA")
        shown = await t.read("anita", "approvals.show", words.Show(asked.request))
        assert shown.changes == [words.Change("role", "clerk", "officer")]
        done = await t.done("anita", "approvals.approve", seen(asked))
        assert done == words.Approved(asked.request, "security.appoint", "user bina of E-BINA")
        assert (role_of(t, "bina"), acts(t, asked.request)) == ("officer", ["ASKED", "APPROVED"])
        assert t.look("SELECT ended_why FROM mpower.sessions WHERE name = 'bina'") == [("ROLE",)]
        audited = t.look(
            "SELECT outcome, details FROM mpower.audit_entries WHERE what = 'security.appoint'"
            " AND user_name = 'anita'"
        )
        assert audited == [("APPROVED", '{"before":{"role":"clerk"},"after":{"role":"officer"}}')]
        t.is_well()


@on_reactor
async def test_nobody_approves_their_own_work_under_another_login(node: Node) -> None:
    async with town(node) as t:
        add_people(t, MORE)
        asked = await t.done("adil", "security.appoint", PROMOTE)
        for login in ("adil", "adil.again"):
            assert await t.refused(login, "approvals.approve", seen(asked)) == "OWN_REQUEST"
            assert await t.refused(login, "approvals.reject", answering(asked)) == "OWN_REQUEST"
        assert await t.refused("omar", "approvals.approve", seen(asked)) == "NO_POWER"
        assert await t.refused("omar", "approvals.withdraw", answering(asked)) == "NOT_MAKER"
        assert (role_of(t, "bina"), acts(t, asked.request)) == ("clerk", ["ASKED"])


@on_reactor
async def test_the_database_itself_refuses_a_maker_as_checker(node: Node) -> None:
    async with town(node) as t:
        add_people(t, MORE)
        asked = await t.done("adil", "security.appoint", PROMOTE)
        with pytest.raises(errors.CheckViolation, match="approval_acts_two_people"):
            t.look(
                "INSERT INTO mpower.approval_acts SELECT request, 2, 'APPROVED', version, content,"
                " maker_person, 'adil.again', NULL, NULL, '', now(), maker_person, '{}'"
                " FROM mpower.approvals WHERE request = %s RETURNING 1",
                asked.request,
            )
        for statement in (
            "SELECT mpower.appoint_v1('bina', 'admin')",
            "SELECT mpower.grant_power_v1('E-ADIL', 'REFUND', NULL, 'HO', now()::date, NULL)",
        ):
            with psycopg.connect(t.app) as connection:
                connection.execute("SET LOCAL ROLE mpower_admin")
                with pytest.raises(errors.InsufficientPrivilege, match="second person"):
                    connection.execute(statement.encode())


@on_reactor
async def test_the_only_administrator_founds_the_board_and_no_longer_once_there_were_two(
    node: Node,
) -> None:
    async with town(node) as t:
        founded = await t.done("adil", "security.appoint", replace(PROMOTE, role=Role.ADMIN))
        assert founded.done
        assert (role_of(t, "bina"), acts(t, founded.request)) == ("admin", ["ASKED", "FOUNDING"])
        t.look("UPDATE mpower.users SET disabled_at = now() WHERE name = 'bina' RETURNING 1")
        asked = await t.done("adil", "security.appoint", Appoint("asha", Role.OFFICER, REASON))
        assert (asked.done, role_of(t, "asha")) == (False, "clerk")


@on_reactor
async def test_what_was_edited_or_has_changed_is_not_approved_unseen(node: Node) -> None:
    async with town(node) as t:
        add_people(t, MORE)
        asked = await t.done("adil", "security.appoint", PROMOTE)
        body = msgpack.encode(replace(PROMOTE, role=Role.AUDITOR))
        edit = words.Edit(
            asked.request, 1, asked.content, "security.appoint", body, "auditor, not officer"
        )
        assert await t.refused("anita", "approvals.edit", edit) == "NOT_MAKER"
        again = await t.done("adil", "approvals.edit", edit)
        assert again.version == 2
        whole = await t.read("adil", "approvals.show", words.Show(asked.request, body=True))
        assert (whole.body, whole.changes) == (body, [])
        assert await t.refused("anita", "approvals.approve", seen(asked)) == "REQUEST_CHANGED"
        forged = replace(seen(again), content=asked.content)
        assert await t.refused("anita", "approvals.approve", forged) == "REQUEST_CHANGED"
        t.look("UPDATE mpower.users SET role = 'receiver' WHERE name = 'bina' RETURNING 1")
        assert await t.refused("anita", "approvals.approve", seen(again)) == "REQUEST_STALE"
        t.look("UPDATE mpower.users SET role = 'clerk' WHERE name = 'bina' RETURNING 1")
        await t.done("anita", "approvals.approve", seen(again))
        assert role_of(t, "bina") == "auditor"
        assert await t.refused("anita", "approvals.approve", seen(again)) == "REQUEST_SETTLED"


@on_reactor
async def test_return_reject_withdraw_forward_and_expiry(node: Node) -> None:
    async with town(node) as t:
        add_people(t, MORE)
        back = await t.done("adil", "security.appoint", PROMOTE)
        await t.done("anita", "approvals.send_back", answering(back))
        assert await t.refused("anita", "approvals.approve", seen(back)) == "REQUEST_RETURNED"
        past_maker = words.Forward(back.request, 1, back.content, "E-ANITA", "never mind")
        assert await t.refused("anita", "approvals.forward", past_maker) == "REQUEST_RETURNED"
        assert await t.done("adil", "approvals.withdraw", answering(back)) == words.Settled(
            back.request, "WITHDRAWN"
        )
        no = await t.done("adil", "security.appoint", PROMOTE)
        await t.done("anita", "approvals.reject", answering(no))
        assert await t.refused("anita", "approvals.approve", seen(no)) == "REQUEST_SETTLED"
        on = await t.done("adil", "security.appoint", PROMOTE)
        to = words.Forward(on.request, 1, on.content, "E-OMAR", "above my power")
        assert await t.refused("anita", "approvals.forward", to) == "NOT_COMPETENT"
        t.look(
            "UPDATE mpower.approvals SET due_at = now() WHERE request = %s RETURNING 1", on.request
        )
        assert await t.refused("anita", "approvals.approve", seen(on)) == "REQUEST_EXPIRED"
        (mine, *_) = (await t.read("adil", "approvals.inbox", words.Inbox(mine=True))).requests
        assert (mine.request, mine.state) == (on.request, "EXPIRED")
        await expire_requests(t.database)
        assert acts(t, on.request) == ["ASKED", "EXPIRED"]
        assert role_of(t, "bina") == "clerk"


@on_reactor
async def test_a_power_reaches_to_its_limit_and_in_its_office_only(node: Node) -> None:
    async with town(node) as t:
        t.look("INSERT INTO mpower.offices VALUES ('Z1', 'East', 'ZONE', 'HO') RETURNING 1")
        t.look("INSERT INTO mpower.offices VALUES ('Z2', 'West', 'ZONE', 'HO') RETURNING 1")
        await t.done("adil", "security.grant_power", replace(OF_OMAR, office="Z1"))

        def holds(value: int, office: str) -> bool:
            rows = t.look("SELECT person FROM mpower.holders('REFUND', %s, %s)", value, office)
            return ("E-OMAR",) in rows

        assert holds(500_00, "Z1")
        assert not holds(500_01, "Z1")
        assert not holds(1, "Z2")
        assert not holds(1, "HO")
        (held,) = (await t.read("omar", "security.powers", Powers("E-OMAR"))).powers
        await t.done("adil", "security.withdraw_power", WithdrawPower(held.power_id, "moved"))
        assert not holds(1, "Z1")


@on_reactor
async def test_a_lent_power_is_used_in_its_time_and_never_for_who_lent_it(node: Node) -> None:
    async with town(node) as t:
        add_people(t, MORE)
        ((today, last, far),) = t.look(
            "SELECT current_date::text, (current_date + 6)::text, (current_date + 60)::text"
        )
        lend = words.Delegate("E-ASHA", Power.RIGHTS, today, last, "on leave")
        to_ravi = replace(lend, to="E-RAVI")
        assert await t.refused("omar", "approvals.delegate", lend) == "NOT_HELD"
        for wrong in (replace(lend, valid_to=far), replace(lend, valid_from="2020-01-01")):
            assert await t.refused("anita", "approvals.delegate", wrong) == "DELEGATION_DATES"
        to_self = replace(lend, to="E-ANITA")
        assert await t.refused("anita", "approvals.delegate", to_self) == "LENT_TO_SELF"
        lent = await t.done("anita", "approvals.delegate", to_ravi)
        of_anita = await t.done("anita", "security.appoint", PROMOTE)
        assert await t.refused("ravi", "approvals.approve", seen(of_anita)) == "NO_POWER"
        to_her_own = words.Forward(of_anita.request, 1, of_anita.content, "E-RAVI", "while away")
        assert await t.refused("adil", "approvals.forward", to_her_own) == "NOT_COMPETENT"
        of_adil = await t.done("adil", "security.grant_power", OF_OMAR)
        assert await t.refused("ravi", "approvals.approve", seen(of_adil)) == "ROLE"
        end = words.EndDelegation(lent.delegation)
        assert await t.refused("omar", "approvals.end_delegation", end) == "NO_DELEGATION"
        assert (await t.done("anita", "approvals.end_delegation", end)).to == "E-RAVI"
        assert await t.refused("ravi", "approvals.approve", seen(of_adil)) == "NO_POWER"
        assert acts(t, of_adil.request) == ["ASKED"]


@on_reactor
async def test_several_are_approved_together_each_on_its_own(node: Node) -> None:
    async with town(node) as t:
        add_people(t, MORE)
        good = await t.done("adil", "security.appoint", PROMOTE)
        own = await t.done("anita", "security.appoint", Appoint("asha", Role.OFFICER, REASON))
        many = words.ApproveMany(
            [words.Decision(one.request, 1, one.content) for one in (own, good)], "both seen"
        )
        decided: Any = (await t.done("anita", "approvals.approve_many", many)).decided
        assert [(one.request, one.code) for one in decided] == [
            (own.request, "OWN_REQUEST"),
            (good.request, ""),
        ]
        assert (role_of(t, "bina"), role_of(t, "asha")) == ("officer", "clerk")
        t.is_well()


@on_reactor
async def test_nothing_to_change_is_said_at_once(node: Node) -> None:
    async with town(node) as t:
        same = replace(PROMOTE, role=Role.CLERK)
        assert await t.refused("adil", "security.appoint", same) == "NOTHING_CHANGES"
        unknown = replace(PROMOTE, user="nobody")
        assert await t.refused("adil", "security.appoint", unknown) == "NO_USER"
        nowhere = replace(OF_OMAR, office="Z9")
        assert await t.refused("adil", "security.grant_power", nowhere) == "NO_OFFICE"
        backwards = replace(OF_OMAR, valid_to="2025-12-31")
        assert await t.refused("adil", "security.grant_power", backwards) == "BAD_DATES"


@on_reactor
async def test_a_second_factor_is_enrolled_used_once_and_reset_by_two(node: Node) -> None:
    async with town(node) as t:
        add_people(t, MORE)
        secret = base64.b32encode(SECRET).decode()
        good = TOTP(SECRET, 6, SHA1(), 30).generate(int(time.time())).decode()
        bad = f"{(int(good) + 1) % 1_000_000:06}"
        enrol = "security.enrol_factor"
        assert await t.refused("omar", enrol, EnrolFactor(secret, bad)) == "CODE_WRONG"
        assert (await t.done("omar", enrol, EnrolFactor(secret, good))).user == "omar"
        assert await t.refused("omar", enrol, EnrolFactor(secret, good)) == "FACTOR_STANDS"
        ((kept, step),) = t.look("SELECT secret, last_step FROM mpower.second_factors")
        assert bytes(kept) == SECRET
        spend = "SELECT mpower.spend_code_v1('omar', %s)"
        assert t.look(spend, step) == [(False,)]
        assert t.look(spend, step + 1) == [(True,)]
        leaks = "SELECT count(*) FROM mpower.audit_entries WHERE details LIKE %s"
        assert t.look(leaks, f"%{secret}%") == [(0,)]
        asked = await t.done("adil", "security.reset_factor", ResetFactor("omar", "lost"))
        await t.done("anita", "approvals.approve", seen(asked))
        assert t.look("SELECT count(*) FROM mpower.second_factors") == [(0,)]
        again = ResetFactor("omar", "lost")
        assert await t.refused("adil", "security.reset_factor", again) == "NOTHING_CHANGES"


@on_reactor
async def test_a_password_is_reset_alone_for_who_was_added_by_two_for_who_is_appointed(
    node: Node,
) -> None:
    async with town(node) as t:
        add_people(t, MORE)
        reset, word = "security.reset_password", "a new lamp over copper"
        assert (
            await t.done("adil", reset, ResetPassword("bina", word, "forgot"))
        ).sessions_ended == 1
        of_omar = ResetPassword("omar", word, "forgot it")
        assert await t.refused("adil", reset, of_omar) == "RESET_NOT_ALLOWED"
        own = ResetPassword("adil.again", word, "mine")
        assert await t.refused("adil", reset, own) == "OWN_PASSWORD"
        weak = ResetPassword("bina", "short", "forgot")
        assert await t.refused("adil", reset, weak) == "WEAK_PASSWORD"
        asked = await t.done("adil", "security.allow_reset", AllowReset("omar", "forgot it"))
        await t.done("anita", "approvals.approve", seen(asked))
        assert (await t.done("adil", reset, of_omar)).sessions_ended == 1
        assert await t.refused("adil", reset, of_omar) == "RESET_NOT_ALLOWED"
        assert t.look("SELECT count(*) FROM mpower.audit_entries WHERE details LIKE '%lamp%'") == [
            (0,)
        ]


@on_reactor
async def test_a_disabled_user_is_let_in_again_by_two(node: Node) -> None:
    async with town(node) as t:
        add_people(t, MORE)
        back = EnableUser("bina", "back from leave")
        assert await t.refused("adil", "security.enable_user", back) == "NOTHING_CHANGES"
        await t.done("adil", "security.disable_user", DisableUser("bina", "on leave"))
        asked = await t.done("adil", "security.enable_user", back)
        await t.done("anita", "approvals.approve", seen(asked))
        assert t.look("SELECT disabled_at, disabled_why FROM mpower.users WHERE name = 'bina'") == [
            (None, None)
        ]
