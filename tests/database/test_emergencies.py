"""An emergency gives exactly its power, in its office, up to its value, for its hours; it rings
while it stands and until a third person has seen what was decided with it.
"""

from __future__ import annotations

import psycopg
import pytest
from psycopg import errors

from mpowerd.chores import tell_emergencies
from protocols.catalogue.approvals import Approve, Delegate, Pending
from protocols.catalogue.emergencies import BreakGlass, Emergencies, ReviewEmergency
from protocols.catalogue.security import WithdrawPower
from protocols.operation import Role
from protocols.powers import Power
from tests.database.test_loans import WATTS, allowed, settle
from tests.database.town import Town, add_people, town
from tests.postgres_nodes import Node, on_reactor

WHY = "the division's officer is in hospital"
MORE = {
    "anita": ("E-ANITA", Role.ADMIN, "ops/desk2"),
    "aude": ("E-AUDE", Role.AUDITOR, "ops/desk4"),
}


async def given(t: Town, glass: BreakGlass) -> int:
    """Break the glass by two; the power's number."""
    asked: Pending = await t.done("adil", "security.break_glass", glass)
    seen = Approve(asked.request, asked.version, asked.content, "seen")
    await t.done("anita", "approvals.approve", seen)
    ((number,),) = t.look("SELECT max(power_id) FROM mpower.powers")
    return int(number)


def over(t: Town, number: int) -> None:
    """Its hours are over."""
    query = "UPDATE mpower.powers SET ends_at = now() WHERE power_id = %s RETURNING 1"
    assert t.look(query, number) == [(1,)]


@on_reactor
async def test_it_adds_exactly_its_power_in_its_office_until_its_hour(node: Node) -> None:
    async with town(node) as t:
        asked = await settle(t)
        add_people(t, MORE)
        before = allowed(t, "bea", asked)
        assert {office for _, office in before} == {"S4"}
        for most in (WATTS, WATTS - 1):
            number = await given(t, BreakGlass("E-BEA", Power.LOAD, "D1", most, 2, WHY))
            enough = ["approve", "inbox"] * (most == WATTS)
            gives = {
                (f"{act} consumers.change_load", office)
                for act in ("show", "reject", "return", "forward", *enough)
                for office in ("D1", "S1", "S2")
            }
            assert allowed(t, "bea", asked) == before | gives, most
            over(t, number)
            assert allowed(t, "bea", asked) == before


@on_reactor
async def test_it_is_lent_to_nobody_neither_anew_nor_by_an_earlier_loan(node: Node) -> None:
    async with town(node) as t:
        asked = await settle(t)
        add_people(t, MORE)
        ((today,),) = t.look("SELECT current_date::text")
        await t.done("bea", "approvals.delegate", Delegate("E-MIRA", Power.LOAD, today, today, WHY))
        before = allowed(t, "mira", asked)
        await given(t, BreakGlass("E-BEA", Power.LOAD, "D1", 0, 2, WHY))
        assert allowed(t, "mira", asked) == before
        await given(t, BreakGlass("E-BEA", Power.CHARGE, "D1", 0, 2, WHY))
        on = Delegate("E-MIRA", Power.CHARGE, today, today, WHY)
        assert await t.refused("bea", "approvals.delegate", on) == "NOT_HELD"


@on_reactor
async def test_it_rings_until_a_third_person_has_seen_what_was_decided_with_it(node: Node) -> None:
    async with town(node) as t:
        asked = await settle(t)
        add_people(t, MORE)
        number = await given(t, BreakGlass("E-BEA", Power.LOAD, "D1", WATTS, 2, WHY))
        alarms: dict[str, str] = {}
        await tell_emergencies(t.database, alarms.__setitem__)
        assert "E-BEA holds LOAD at D1 until" in alarms["break-glass"]
        assert alarms["break-glass-review"] == ""
        (one,) = (a for a in asked if (a.power, a.office) == ("LOAD", "S1"))
        await t.done("bea", "approvals.approve", Approve(one.number, 1, one.content, "seen"))
        review = ReviewEmergency(number, "one load, as in the order")
        assert await t.refused("aude", "security.review_emergency", review) == "EMERGENCY_STANDS"
        await t.done(
            "adil", "security.withdraw_power", WithdrawPower(number, "the officer is back")
        )
        await tell_emergencies(t.database, alarms.__setitem__)
        assert alarms["break-glass"] == ""
        assert f"{number}, LOAD of E-BEA, over since" in alarms["break-glass-review"]
        assert "1 decision(s)" in alarms["break-glass-review"]
        (open_one,) = (await t.read("aude", "security.emergencies", Emergencies())).emergencies
        assert [it.request for it in open_one.decisions] == [one.number]
        assert open_one.given_by == ["E-ADIL", "E-ANITA"]
        for gave in ("adil", "anita"):
            assert await t.refused(gave, "security.review_emergency", review) == "OWN_EMERGENCY"
        none = ReviewEmergency(number - 1, "an ordinary power")
        assert await t.refused("aude", "security.review_emergency", none) == "NO_EMERGENCY"
        await t.done("aude", "security.review_emergency", review)
        assert await t.refused("aude", "security.review_emergency", review) == "EMERGENCY_REVIEWED"
        await tell_emergencies(t.database, alarms.__setitem__)
        assert alarms == {"break-glass": "", "break-glass-review": ""}
        (kept,) = (await t.read("aude", "security.emergencies", Emergencies(True))).emergencies
        assert (kept.reviewed_by, kept.review) == ("E-AUDE", review.remark)
        assert t.look(
            "SELECT user_name FROM mpower.audit_entries WHERE outcome = 'DONE'"
            " AND what = 'security.review_emergency'"
        ) == [("aude",)]
        t.is_well()


@on_reactor
async def test_the_database_itself_keeps_who_gave_or_held_it_from_reviewing_it(node: Node) -> None:
    async with town(node) as t:
        await settle(t)
        add_people(t, MORE)
        number = await given(t, BreakGlass("E-BEA", Power.LOAD, "D1", 0, 2, WHY))
        over(t, number)
        for whom in ("E-ADIL", "E-ANITA", "E-BEA"):
            with pytest.raises(errors.CheckViolation, match="powers_reviewed_by_another"):
                t.look(
                    "UPDATE mpower.powers SET reviewed_at = now(), reviewed_by = %s, review = 'so'"
                    " WHERE power_id = %s RETURNING 1",
                    *(whom, number),
                )
        with psycopg.connect(t.app) as connection:
            connection.execute("SET LOCAL ROLE mpower_admin")
            with pytest.raises(errors.InsufficientPrivilege, match="second person"):
                connection.execute("SELECT mpower.break_glass_v1('E-BEA', 'LOAD', NULL, 'HO', 8)")


@on_reactor
async def test_what_it_names_must_be_there(node: Node) -> None:
    async with town(node) as t:
        add_people(t, MORE)
        for glass, code in (
            (BreakGlass("E-NOBODY", Power.LOAD, "HO", 0, 2, WHY), "NO_PERSON"),
            (BreakGlass("E-OMAR", Power.LOAD, "D9", 0, 2, WHY), "NO_OFFICE"),
        ):
            assert await t.refused("adil", "security.break_glass", glass) == code
