"""Who gains by a request neither approves nor endorses it; what was forwarded is for that person;
the same change waits once.
"""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import msgpack
from msgspec.structs import replace
from psycopg import errors

from mpowerd.refusals import refusal_of
from protocols.catalogue import approvals as words
from protocols.catalogue.approvals import Approve, Pending
from protocols.catalogue.banking import Line, Post
from protocols.catalogue.body import Body
from protocols.catalogue.charges import Raise
from protocols.catalogue.consumers import ChangeDetails, ChangeLoad
from protocols.catalogue.emergencies import BreakGlass
from protocols.catalogue.masters import ChangeMaster
from protocols.catalogue.own_accounts import DisownAccount, OwnAccount, OwnAccounts
from protocols.catalogue.security import (
    AllowReset,
    Appoint,
    DisableUser,
    EnableUser,
    GrantPower,
    ResetFactor,
)
from protocols.catalogue.transfers import AskSuspense, Match, Move, Refund
from protocols.operation import Role
from protocols.powers import Power
from tests.database.town import DAY, OLD, RAM, SITA, Town, add_people, town
from tests.postgres_nodes import Node, on_reactor

REASON = "order 17 of the circle"
MORE = {
    "anita": ("E-ANITA", Role.ADMIN, "ops/desk2"),
    "anita.twin": ("E-ANITA", Role.CLERK, "counter/C002"),
    "amar": ("E-AMAR", Role.ADMIN, "ops/desk3"),
    "rita": ("E-RITA", Role.RECEIVER, "counter/C001"),
}
OWN: dict[str, Body] = {
    "security.appoint": Appoint("anita.twin", Role.OFFICER, REASON),
    "security.grant_power": GrantPower("E-ANITA", Power.REFUND, 0, "HO", DAY, REASON),
    "security.break_glass": BreakGlass("E-ANITA", Power.REFUND, "HO", 0, 2, REASON),
    "security.allow_reset": AllowReset("anita", REASON),
    "security.reset_factor": ResetFactor("anita.twin", REASON),
    "security.enable_user": EnableUser("anita.twin", REASON),
}
"""Each right that a second administrator gives, for one of Anita's own logins or herself."""


def seen(asked: Pending, remark: str = "seen") -> Approve:
    """Approve what was asked, as shown."""
    return Approve(asked.request, asked.version, asked.content, remark)


async def waiting(t: Town, who: str) -> list[int]:
    got = await t.read(who, "approvals.inbox", words.Inbox())
    return [one.request for one in got.requests]


async def settle(t: Town) -> None:
    add_people(t, MORE)
    t.look(
        "INSERT INTO mpower.second_factors"
        " SELECT user_id, decode(repeat('00', 20), 'hex'), 1, now()"
        " FROM mpower.users WHERE name = 'anita.twin' RETURNING 1"
    )
    await t.done("adil", "security.disable_user", DisableUser("anita.twin", "on leave"))


@pytest.mark.parametrize("operation", OWN)
@on_reactor
async def test_who_gains_by_it_does_not_approve_it_whatever_the_login(
    node: Node, operation: str
) -> None:
    async with town(node) as t:
        await settle(t)
        asked = await t.done("adil", operation, OWN[operation])
        assert await waiting(t, "anita") == []
        assert await t.refused("anita", "approvals.approve", seen(asked)) == "OWN_MATTER"
        on = words.Forward(asked.request, 1, asked.content, "E-AMAR", "a good officer")
        assert await t.refused("anita", "approvals.forward", on) == "OWN_MATTER"
        back = replace(on, to="E-ANITA", remark="you decide")
        assert await t.refused("amar", "approvals.forward", back) == "NOT_COMPETENT"
        with pytest.raises(errors.CheckViolation, match="approval_acts_not_concerned"):
            t.look(
                "INSERT INTO mpower.approval_acts SELECT request, 2, 'APPROVED', version, content,"
                " 'E-ANITA', 'anita', NULL, NULL, '', now(), maker_person, concerned"
                " FROM mpower.approval_acts WHERE request = %s RETURNING 1",
                asked.request,
            )
        await t.done("amar", "approvals.approve", seen(asked))
        t.is_well()


@on_reactor
async def test_nor_does_who_has_the_power_from_who_gains_by_it(node: Node) -> None:
    async with town(node) as t:
        await settle(t)
        ((today,),) = t.look("SELECT current_date::text")
        add_people(t, {"zara": ("E-ZARA", Role.ADMIN, "ops/desk4")})
        t.look("UPDATE mpower.users SET role = 'officer' WHERE name = 'zara' RETURNING 1")
        lend = words.Delegate("E-ZARA", Power.RIGHTS, today, today, "on leave")
        await t.done("anita", "approvals.delegate", lend)
        asked = await t.done("adil", "security.grant_power", OWN["security.grant_power"])
        assert await waiting(t, "zara") == []
        assert await t.refused("zara", "approvals.approve", seen(asked)) == "NO_POWER"
        await t.done("amar", "approvals.delegate", lend)  # one whom it is not about lends it too
        assert await waiting(t, "zara") == [asked.request]


@on_reactor
async def test_what_one_asks_for_oneself_another_approves(node: Node) -> None:
    async with town(node) as t:
        await settle(t)
        asked = await t.done("anita", "security.grant_power", OWN["security.grant_power"])
        assert await t.refused("anita", "approvals.approve", seen(asked)) == "OWN_REQUEST"
        await t.done("adil", "approvals.approve", seen(asked))
        assert t.look("SELECT person FROM mpower.powers WHERE power = 'REFUND'") == [("E-ANITA",)]


@on_reactor
async def test_what_was_forwarded_is_for_that_person_or_who_stands_in_for_them(node: Node) -> None:
    async with town(node) as t:
        await settle(t)
        for person in ("E-OMAR", "E-ASHA", "E-BINA"):
            t.look(
                "INSERT INTO mpower.powers (person, power, office, valid_from, granted_at)"
                " VALUES (%s, 'CONSUMER', 'HO', current_date, now()) RETURNING 1",
                person,
            )
        body = ChangeDetails(RAM, {"name": "Ram P"}, REASON)
        asked = await t.done("rita", "consumers.change_details", body)
        to = words.Forward(asked.request, 1, asked.content, "E-BINA", "she knows the case")
        await t.done("omar", "approvals.forward", to)
        assert await waiting(t, "omar") == []
        outcome = await t.ask("omar", "approvals.approve", seen(asked))
        assert outcome.refusal is not None
        assert outcome.refusal[0] == "WITH_ANOTHER"
        assert "E-BINA" in outcome.refusal[1]
        t.look(
            "INSERT INTO mpower.delegations"
            " (of_person, to_person, power, valid_from, valid_to, reason)"
            " VALUES ('E-BINA', 'E-ASHA', 'CONSUMER', now(), now() + interval '1 day', 'leave')"
            " RETURNING 1"
        )
        assert await waiting(t, "asha.officer") == [asked.request]
        await t.done("asha.officer", "approvals.approve", seen(asked))
        acts = t.look("SELECT person, lent_by FROM mpower.approval_acts WHERE act = 'APPROVED'")
        assert acts == [("E-ASHA", "E-BINA")]


@on_reactor
async def test_who_cannot_wait_for_another_forwards_it_to_themselves_and_that_is_seen(
    node: Node,
) -> None:
    async with town(node) as t:
        await settle(t)
        asked = await t.done("adil", "security.appoint", Appoint("bina", Role.OFFICER, REASON))
        to = words.Forward(asked.request, 1, asked.content, "E-AMAR", "he knows her")
        await t.done("anita", "approvals.forward", to)
        assert await t.refused("anita", "approvals.approve", seen(asked)) == "WITH_ANOTHER"
        back = replace(to, to="E-ANITA", remark="he is ill")
        await t.done("anita", "approvals.forward", back)
        await t.done("anita", "approvals.approve", seen(asked))


MASTER = ChangeMaster(
    "holidays",
    DAY,
    [
        {"day": "2026-12-25", "office": "HO", "name": "Christmas"},
        {"day": "2027-01-26", "office": "HO", "name": "Republic Day"},
    ],
    [],
    REASON,
)


@on_reactor
async def test_the_same_change_waits_once_whoever_asks_why_and_in_which_order(node: Node) -> None:
    async with town(node) as t:
        await settle(t)
        first = await t.done("adil", "masters.change", MASTER)
        same = replace(MASTER, rows=MASTER.rows[::-1], reason="the other list")
        for who in ("adil", "anita"):
            outcome = await t.ask(who, "masters.change", same)
            assert outcome.refusal is not None
            code, sentence = outcome.refusal
            assert code == "ASKED_ALREADY"
            assert f"request {first.request} of adil is pending" in sentence
        assert t.look("SELECT count(*) FROM mpower.approvals") == [(1,)]
        other = await t.done("anita", "masters.change", replace(MASTER, rows=MASTER.rows[:1]))
        edit = words.Edit(
            other.request, 1, other.content, "masters.change", msgpack.encode(same), "the whole"
        )
        assert await t.refused("anita", "approvals.edit", edit) == "ASKED_ALREADY"
        await t.done(
            "adil", "approvals.withdraw", words.Answer(first.request, 1, first.content, "no")
        )
        await t.done("anita", "approvals.edit", edit)
        t.is_well()


@on_reactor
async def test_what_ran_out_or_was_decided_may_be_asked_anew(node: Node) -> None:
    async with town(node) as t:
        await settle(t)
        body = ChangeDetails(SITA, {"name": "Sita D"}, REASON)
        asked = await t.done("rita", "consumers.change_details", body)
        t.look("UPDATE mpower.approvals SET due_at = now() RETURNING 1")
        again = await t.done("rita", "consumers.change_details", body)
        states = t.look("SELECT request, state FROM mpower.approvals ORDER BY request")
        assert states == [(asked.request, "EXPIRED"), (again.request, "PENDING")]
        acts = t.look("SELECT act FROM mpower.approval_acts WHERE request = %s", asked.request)
        assert [one for (one,) in acts] == ["ASKED", "EXPIRED"]


@on_reactor
async def test_what_names_nobody_is_not_even_asked_for(node: Node) -> None:
    async with town(node) as t:
        await settle(t)
        for operation in ("security.grant_power", "security.break_glass"):
            body: Any = replace(OWN[operation], person="E-NOBODY")
            assert await t.refused("adil", operation, body) == "NO_PERSON"


@on_reactor
async def test_an_own_account_is_somebodys_and_a_consumers(node: Node) -> None:
    async with town(node) as t:
        assert (
            await t.refused("adil", "security.own_account", OwnAccount("E-NO", OLD)) == "NO_PERSON"
        )
        nowhere = OwnAccount("E-OMAR", "5555555555")
        assert await t.refused("adil", "security.own_account", nowhere) == "NO_CONSUMER"


@on_reactor
async def test_an_officer_decides_nothing_about_their_own_account(node: Node) -> None:
    async with town(node) as t:
        await settle(t)
        for person in ("E-OMAR", "E-ASHA"):
            for power in ("REFUND", "TRANSFER", "CONSUMER", "LOAD", "CHARGE"):
                t.look(
                    "INSERT INTO mpower.powers (person, power, office, valid_from, granted_at)"
                    " VALUES (%s, %s, 'HO', current_date, now()) RETURNING 1",
                    *(person, power),
                )
        add_people(t, {"mira": ("E-MIRA", Role.OFFICER, "ops/desk7")})
        mine = OwnAccount("E-OMAR", OLD)
        asked = {
            "transfers.refund": Refund(OLD, 1_000, REASON),
            "transfers.move": Move(OLD, RAM, 1_000, REASON),
            "consumers.change_details": ChangeDetails(OLD, {"name": "Old"}, REASON),
            "consumers.change_load": ChangeLoad(OLD, 9_000, REASON),
            "charges.raise": Raise(OLD, "SUNDRY", 500, "note 7", REASON),
        }
        waits = [await t.done("mira", operation, body) for operation, body in asked.items()]
        assert await waiting(t, "omar") == [one.request for one in waits]
        await t.done("adil", "security.own_account", mine)
        await t.done("adil", "security.own_account", mine)
        owned = (await t.read("adil", "security.own_accounts", OwnAccounts())).accounts
        assert [(one.person, one.consumer) for one in owned] == [("E-OMAR", OLD)]
        to_own = await t.done("mira", "transfers.move", Move(OLD, SITA, 500, REASON))
        assert await waiting(t, "omar.two") == []
        for one in (*waits, to_own):
            assert await t.refused("omar.two", "approvals.approve", seen(one)) == "OWN_MATTER"
        await t.done("asha.officer", "approvals.approve", seen(waits[0]))
        back = DisownAccount("E-OMAR", OLD, "moved house")
        ended = await t.done("adil", "security.disown_account", back)
        await t.done("anita", "approvals.approve", seen(ended))
        await t.done("omar", "approvals.approve", seen(waits[3]))
        assert await t.refused("adil", "security.disown_account", back) == "NOTHING_CHANGES"
        t.is_well()


@on_reactor
async def test_nobody_gives_money_out_of_suspense_to_an_account_of_their_own(node: Node) -> None:
    async with town(node) as t:
        add_people(t, {"mira": ("E-MIRA", Role.OFFICER, "ops/desk7")})
        lines = [Line("R1", "0000000077", 700, DAY)]
        await t.done("SBI", "banking.post", Post("S1", 1, 1, 700, lines))
        (line,) = (await t.read("omar", "transfers.suspense", AskSuspense("SBI"))).lines
        await t.done("adil", "security.own_account", OwnAccount("E-OMAR", RAM))
        body = Match(line.receipt, RAM, "the old number")
        assert await t.refused("omar.two", "transfers.match", body) == "OWN_ACCOUNT"
        await t.done("mira", "transfers.match", body)
        t.is_well()


@on_reactor
async def test_two_that_ask_the_same_at_once_are_told_apart_by_the_database(node: Node) -> None:
    async with town(node) as t:
        await settle(t)
        await t.done("adil", "masters.change", MASTER)
        columns = (
            "operation, object, power, value, office, body, content, change, persons, consumers,"
            " before, after, reason, maker_person, maker_user, asked_at, due_at"
        )
        with pytest.raises(errors.UniqueViolation, match="approvals_asked_once") as lost:
            t.look(
                f"INSERT INTO mpower.approvals ({columns})"
                f" SELECT {columns} FROM mpower.approvals RETURNING 1"
            )
        refused = refusal_of(lost.value)
        assert refused is not None
        assert refused.code == "ASKED_ALREADY"


@on_reactor
async def test_an_edit_is_bound_like_asking_anew(node: Node) -> None:
    async with town(node) as t:
        await settle(t)
        body = Appoint("bina", Role.OFFICER, REASON)
        asked = await t.done("adil", "security.appoint", body)
        raw: Any = msgpack.encode(replace(body, role=Role.AUDITOR))
        edit = words.Edit(asked.request, 1, asked.content, "security.appoint", raw, "auditor")
        t.people["adil"] = replace(t.people["adil"], fresh=False)
        assert await t.refused("adil", "approvals.edit", edit) == "PROVE_AGAIN"
        t.people["adil"] = replace(t.people["adil"], fresh=True)
        add_people(t, {"adil.desk": ("E-ADIL", Role.OPS, "ops/desk6")})
        assert await t.refused("adil.desk", "approvals.edit", edit) == "ROLE"
        assert (await t.done("adil", "approvals.edit", edit)).version == 2
