"""Whose office's matter something is: requests find the competent officer, an officer acts within
their office, and row security holds even where a function forgets to ask.
"""

from __future__ import annotations

import psycopg
import pytest
from msgspec.structs import replace
from psycopg import errors

from protocols.catalogue.approvals import Approve, Inbox
from protocols.catalogue.consumers import (
    Account,
    ChangeDetails,
    ChangeLoad,
    ChangeMobile,
    Contacts,
    Dues,
    Load,
    NoteContact,
)
from protocols.catalogue.masters import ChangeMaster
from protocols.catalogue.payments import Cancel, Verify
from protocols.catalogue.security import AddCounter
from protocols.catalogue.shifts import CloseShift, OpenShift
from protocols.operation import Role
from protocols.refusals import Refused
from tests.database.town import DAY, Town, add_people, cash_of, here, row, town
from tests.postgres_nodes import Node, on_reactor

TREE = [
    ("Z-1", "ZONE", "HO"),
    ("DV-1", "DIVISION", "Z-1"),
    ("SD-1", "SUBDIVISION", "DV-1"),
    ("SD-2", "SUBDIVISION", "DV-1"),
    ("SD-9", "SUBDIVISION", "Z-1"),
]
PEOPLE = {
    # who works where; the same officer at a desk and at a counter of their office
    "one": ("E-ONE", Role.OFFICER, "ops/desk1", "SD-1"),
    "one.counter": ("E-ONE", Role.OFFICER, "counter/C011", "SD-1"),
    "two": ("E-TWO", Role.OFFICER, "ops/desk2", "SD-2"),
    "two.counter": ("E-TWO", Role.OFFICER, "counter/C012", "SD-2"),
    "over": ("E-OVER", Role.OFFICER, "ops/desk3", "DV-1"),
    "rita": ("E-RITA", Role.RECEIVER, "counter/C012", "SD-2"),
    "cara": ("E-CARA", Role.CLERK, "counter/C011", "SD-1"),
    "auda": ("E-AUDA", Role.AUDITOR, "ops/desk5", "SD-9"),
}
LIA, MAX = "0000000101", "0000000201"
REASON = "seen the paper"


async def settle(t: Town) -> None:
    """Make the tree, its people, a counter and a consumer in each of two sub-divisions."""
    rows = [{"code": c, "name": c, "kind": k, "parent": p} for c, k, p in TREE]
    body = ChangeMaster("offices", here["date"].isoformat(), rows, [], "founded")
    await t.done("adil", "masters.change", body)
    for person, _, _, office in PEOPLE.values():
        t.look(
            "INSERT INTO mpower.persons VALUES (%s, %s, 'of an office', %s)"
            " ON CONFLICT (person) DO UPDATE SET office = excluded.office RETURNING 1",
            *(person, person, office),
        )
    add_people(t, {user: one[:3] for user, one in PEOPLE.items()})
    for counter, office in (("C011", "SD-1"), ("C012", "SD-2")):
        await t.done("adil", "security.add_counter", AddCounter(counter, office))
    placed = [
        replace(row(number, name, CURRENT=10_000), office=office)
        for number, name, office in ((LIA, "Lia", "SD-1"), (MAX, "Max", "SD-2"))
    ]
    await t.done("adil", "consumers.load", Load("2026-11-01", placed))
    for person, office in (("E-ONE", "SD-1"), ("E-TWO", "SD-2"), ("E-OVER", "DV-1")):
        t.look(
            "INSERT INTO mpower.powers (person, power, most, office, valid_from, granted_at)"
            " VALUES (%s, 'CONSUMER', NULL, %s, current_date, now()) RETURNING 1",
            *(person, office),
        )


async def asked_about_lia(t: Town) -> Approve:
    """Any counter of the city takes the application; rita sits in the other sub-division."""
    body = ChangeDetails(LIA, {"name": "Lia Rao"}, REASON)
    pending = await t.done("rita", "consumers.change_details", body)
    assert pending.office == "SD-1"
    return Approve(pending.request, 1, pending.content)


async def waiting(t: Town, who: str) -> list[int]:
    return [one.request for one in (await t.read(who, "approvals.inbox", Inbox())).requests]


@on_reactor
async def test_a_request_goes_to_who_is_competent_for_the_consumers_office(node: Node) -> None:
    async with town(node) as t:
        await settle(t)
        seen = await asked_about_lia(t)
        assert await waiting(t, "one") == [seen.request]
        assert await waiting(t, "over") == [seen.request]
        assert await waiting(t, "two") == []
        assert await t.refused("two", "approvals.approve", seen) == "NO_REQUEST"
        await t.done("one", "approvals.approve", seen)
        account = await t.read("one", "consumers.account", Account(LIA))
        assert (account.fields["name"], account.fields["office"]) == ("Lia Rao", "SD-1")


@on_reactor
async def test_who_is_over_both_offices_decides_a_move(node: Node) -> None:
    async with town(node) as t:
        await settle(t)
        ask = "consumers.change_details"
        lost = ChangeDetails(LIA, {"office": "SD-404"}, REASON)
        assert await t.refused("rita", ask, lost) == "NO_OFFICE"
        pending = await t.done("rita", ask, ChangeDetails(LIA, {"office": "SD-2"}, REASON))
        assert pending.office == "DV-1"
        seen = Approve(pending.request, 1, pending.content)
        assert await t.refused("one", "approvals.approve", seen) == "NO_REQUEST"
        await t.done("over", "approvals.approve", seen)
        assert (await t.read("two", "consumers.account", Account(LIA))).fields["office"] == "SD-2"
        with pytest.raises(Refused, match="OUT_OF_OFFICE"):
            await t.read("one", "consumers.account", Account(LIA))
        far = await t.done("rita", ask, ChangeDetails(LIA, {"office": "SD-9"}, REASON))
        assert far.office == "Z-1"


@on_reactor
async def test_from_a_desk_an_officer_acts_within_their_office_at_a_counter_all_are_served(
    node: Node,
) -> None:
    async with town(node) as t:
        await settle(t)
        await t.done("one", "consumers.change_mobile", ChangeMobile(LIA, "9123456780", REASON))
        await t.done("cara", "consumers.note_contact", NoteContact(LIA, "VISIT", "IN", "a bill"))
        for operation, look in (
            ("consumers.account", Account(LIA)),
            ("consumers.contacts", Contacts(LIA)),
        ):
            with pytest.raises(Refused, match="OUT_OF_OFFICE: consumer 0000000101 belongs to SD-1"):
                await t.read("two", operation, look)
            for who in ("one", "over", "auda", "two.counter", "rita"):
                await t.read(who, operation, look)
        refused = t.look(
            "SELECT user_name, what FROM mpower.audit_entries WHERE outcome = 'OUT_OF_OFFICE'"
            " ORDER BY link"
        )
        assert sorted(refused) == [("two", "consumers.account"), ("two", "consumers.contacts")]
        for operation, body in (
            ("consumers.change_mobile", ChangeMobile(LIA, "", REASON)),
            ("consumers.change_load", ChangeLoad(LIA, 5_000, REASON)),
            ("consumers.change_details", ChangeDetails(LIA, {"name": "L"}, REASON)),
            ("consumers.note_contact", NoteContact(LIA, "CALL", "OUT", "a bill")),
        ):
            assert await t.refused("two", operation, body) == "OUT_OF_OFFICE", operation
            if operation != "consumers.note_contact":
                await t.done("two.counter", operation, body)
        inside = await t.read("one.counter", "consumers.account", Account(LIA))
        assert inside.told
        assert [one.field for one in inside.changes] == ["mobile", "mobile"]
        outside = await t.read("two.counter", "consumers.account", Account(LIA))
        assert (outside.told, outside.changes) == (False, [])
        assert len((await t.read("rita", "consumers.contacts", Contacts(LIA))).contacts) == 1
        assert (await t.read("cara", "consumers.dues", Dues(MAX))).payable_paise == 10_000


@on_reactor
async def test_a_counters_money_is_decided_in_its_office(node: Node) -> None:
    async with town(node) as t:
        await settle(t)
        await t.done("cara", "shifts.open", OpenShift())
        receipt = await t.pay("cara", MAX, 5_000)
        assert await t.refused("two", "payments.cancel", Cancel(receipt.number, REASON)) == (
            "OUT_OF_OFFICE"
        )
        assert await t.refused("two.counter", "payments.verify", Verify("C011", DAY)) == (
            "OUT_OF_OFFICE"
        )
        close = CloseShift(cash_of(5_000), counter="C011", reason="left behind")
        assert await t.refused("two", "shifts.close", close) == "OUT_OF_OFFICE"
        await t.done("one", "shifts.close", close)
        assert (await t.done("one", "payments.verify", Verify("C011", DAY))).count == 1
        t.is_well()


@on_reactor
async def test_an_office_with_consumers_does_not_end_and_a_load_names_one_that_is(
    node: Node,
) -> None:
    async with town(node) as t:
        await settle(t)
        day = here["date"].isoformat()
        end = ChangeMaster("offices", day, [], ["SD-1"], "merged")
        outcome = await t.ask("adil", "masters.change", end)
        assert outcome.refusal is not None
        assert "SD-1: 1 consumers and 1 counters still belong to it" in outcome.refusal[1]
        await t.done("adil", "masters.change", replace(end, ended=["SD-9"]))
        lost = Load("2026-11-01", [replace(row("0000000300", "Lost"), office="SD-404")])
        assert await t.refused("adil", "consumers.load", lost) == "NO_OFFICE"


def seen_as(t: Town, who: str | None, query: str) -> list[tuple[object, ...]]:
    """What the owner of the tables, in whose name every function runs, sees of them."""
    with psycopg.connect(t.superuser) as c:
        if who is not None:
            c.execute(f"SET LOCAL mpower.session = '{t.people[who].session.hex()}'".encode())
        c.execute("SET LOCAL ROLE mpower_owner")
        return c.execute(query.encode()).fetchall()


@on_reactor
async def test_rows_of_an_office_are_fenced_where_a_function_forgets_to_ask(node: Node) -> None:
    async with town(node) as t:
        await settle(t)
        await asked_about_lia(t)
        await t.done("one", "consumers.change_mobile", ChangeMobile(LIA, "9123456780", REASON))
        await t.done("cara", "consumers.note_contact", NoteContact(LIA, "VISIT", "IN", "a bill"))
        sees = {
            None: (0, 0, 0, 0),
            "two": (0, 0, 0, 0),
            "two.counter": (0, 0, 0, 1),
            "one": (1, 1, 1, 1),
            "over": (1, 1, 1, 1),
            "auda": (2, 3, 1, 1),  # the founding of the offices too
            "rita": (1, 1, 0, 1),  # who asked; at a counter
        }
        for who, rows in sees.items():
            for table, count in zip(
                ("approvals", "approval_acts", "consumer_changes", "contacts"), rows, strict=True
            ):
                query = f"SELECT count(*) FROM mpower.{table}"
                assert seen_as(t, who, query) == [(count,)], (who, table)
        changed = "UPDATE mpower.approvals SET reason = 'mine' RETURNING 1"
        assert seen_as(t, "two", changed) == []
        for table, under in (
            ("contacts", "kind, direction, subject, remark, reference, user_name, counter"),
            ("consumer_changes", "field, before, after, user_name, person, reason"),
        ):
            columns = ["consumer", "at", *under.split(", ")]
            values = ["101", "now()", *(f"'{one}'" for one in under.split(", "))]
            other = (
                f"INSERT INTO mpower.{table} ({', '.join(columns)}) VALUES ({', '.join(values)})"
                " RETURNING 1"
            )
            with pytest.raises(errors.InsufficientPrivilege, match="row-level security"):
                seen_as(t, "two.counter", other)
        t.look("UPDATE mpower.sessions SET ended_at = now() WHERE name = 'one' RETURNING 1")
        assert seen_as(t, "one", "SELECT FROM mpower.approvals") == []


@on_reactor
async def test_what_runs_out_is_marked_in_every_office(node: Node) -> None:
    async with town(node) as t:
        await settle(t)
        seen = await asked_about_lia(t)
        t.look("UPDATE mpower.approvals SET due_at = now() - interval '1 s' RETURNING 1")
        with psycopg.connect(t.app, autocommit=True) as c:
            assert c.execute("SELECT mpower.expire_approvals_v1(10)").fetchall() == [(1,)]
        assert await t.refused("one", "approvals.approve", seen) == "REQUEST_SETTLED"
