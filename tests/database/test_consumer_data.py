"""A consumer's own data on a real PostgreSQL: who sees, who changes, what is kept."""

from __future__ import annotations

import json

from msgspec.structs import replace

from mpowerd.audit.masking import masked
from mpowerd.dispatch import not_allowed
from protocols.catalogue import CATALOGUE
from protocols.catalogue.approvals import Approve
from protocols.catalogue.audit import Look
from protocols.catalogue.consumers import (
    Account,
    ChangeDetails,
    ChangeLoad,
    ChangeMobile,
    Contacts,
    Find,
    NoteContact,
)
from protocols.consumer_fields import FIELDS, shown
from protocols.operation import PEOPLE, Role
from tests.database.town import RAM, Town, add_people, town
from tests.mpowerd.people import caller
from tests.postgres_nodes import Node, on_reactor

MORE = {
    "rita": ("E-RITA", Role.RECEIVER, "counter/C001"),
    "ravi": ("E-RAVI", Role.OFFICER, "counter/C002"),
    "auda": ("E-AUDA", Role.AUDITOR, "ops/desk5"),
}
REASON = "sale deed of 3 March"
MOBILE = f"98{RAM}"


def hold(t: Town, person: str, power: str, most: int | None) -> None:
    t.look(
        "INSERT INTO mpower.powers (person, power, most, office, valid_from, granted_at)"
        " VALUES (%s, %s, %s, 'HO', current_date, now()) RETURNING 1",
        person,
        power,
        most,
    )


async def name_of(t: Town) -> str:
    return str((await t.read("omar", "consumers.account", Account(RAM))).fields["name"])


@on_reactor
async def test_a_name_changes_when_an_officer_with_the_power_agrees(node: Node) -> None:
    async with town(node) as t:
        add_people(t, MORE)
        hold(t, "E-OMAR", "CONSUMER", None)
        body = ChangeDetails(RAM, {"name": "Ram Prasad Gupta", "address": "new house"}, REASON)
        asked = await t.done("rita", "consumers.change_details", body)
        assert await name_of(t) == "Ram Prasad"
        seen = Approve(asked.request, 1, asked.content)
        assert await t.refused("ravi", "approvals.approve", seen) == "NO_POWER"
        await t.done("omar", "approvals.approve", seen)
        account = await t.read("omar", "consumers.account", Account(RAM))
        assert account.fields["name"] == "Ram Prasad Gupta"
        assert [(c.field, c.before, c.after, c.reason) for c in account.changes] == [
            ("address", "Ram Prasad's house", "new house", REASON),
            ("name", "Ram Prasad", "Ram Prasad Gupta", REASON),
        ]
        found = await t.read("asha", "consumers.find", Find("name", "ram prasad gupta"))
        assert [one.number for one in found.consumers] == [RAM]
        t.is_well()


@on_reactor
async def test_a_load_needs_a_power_that_reaches_it(node: Node) -> None:
    async with town(node) as t:
        add_people(t, MORE)
        hold(t, "E-OMAR", "LOAD", 4_000)
        hold(t, "E-RAVI", "LOAD", 10_000)
        asked = await t.done("rita", "consumers.change_load", ChangeLoad(RAM, 5_000, REASON))
        seen = Approve(asked.request, 1, asked.content)
        assert await t.refused("omar", "approvals.approve", seen) == "NO_POWER"
        await t.done("ravi", "approvals.approve", seen)
        less = await t.done("rita", "consumers.change_load", ChangeLoad(RAM, 1_000, REASON))
        down = Approve(less.request, 1, less.content)
        assert await t.refused("omar", "approvals.approve", down) == "NO_POWER"
        same = ChangeLoad(RAM, 5_000, REASON)
        assert await t.refused("rita", "consumers.change_load", same) == "NOTHING_CHANGES"
        nobody = replace(same, consumer="0000000099")
        assert await t.refused("rita", "consumers.change_load", nobody) == "NO_CONSUMER"


@on_reactor
async def test_a_mobile_number_is_masked_for_who_does_not_need_it_and_changes_at_once(
    node: Node,
) -> None:
    async with town(node) as t:
        add_people(t, MORE)
        body = ChangeMobile(RAM, "9123456780", "said at the counter")
        await t.done("rita", "consumers.change_mobile", body)
        for who, sees in (("rita", "9123456780"), ("asha", "••••••6780"), ("auda", "9123456780")):
            account = await t.read(who, "consumers.account", Account(RAM))
            assert account.fields["mobile"] == sees
            assert account.changes[0].after == sees
            assert account.changes[0].before == shown(t.people[who].role, "mobile", MOBILE)
        (found,) = (await t.read("asha", "consumers.find", Find("mobile", "9123456780"))).consumers
        assert (found.number, found.mobile) == (RAM, "••••••6780")
        details = t.look(
            "SELECT details FROM mpower.audit_entries WHERE what = 'consumers.change_mobile'"
        )[0][0]
        assert '"before"' in details
        assert MOBILE in details


@on_reactor
async def test_no_side_door_shows_a_field_to_whom_the_account_does_not(node: Node) -> None:
    """The audit's readers among them: the number that was, the one that is, and a name's change."""
    async with town(node) as t:
        add_people(t, MORE)
        hold(t, "E-OMAR", "CONSUMER", None)
        await t.done("rita", "consumers.change_mobile", ChangeMobile(RAM, "9123456780", "said so"))
        renamed = ChangeDetails(RAM, {"name": "Ramesh Kumar"}, "marriage")
        asked = await t.done("rita", "consumers.change_details", renamed)
        approve = Approve(asked.request, 1, asked.content)
        await t.done("omar", "approvals.approve", approve)
        for who in ("auda", "adil", "olga"):
            whole = t.people[who].role is Role.AUDITOR
            entries = (await t.read(who, "audit.show", Look())).entries
            said = "".join(one.details for one in entries)
            assert ("9123456780" in said, MOBILE in said, "Ramesh Kumar" in said) == (whole,) * 3
            (one,) = (e for e in entries if e.what == "consumers.change_mobile")
            now = "9123456780" if whole else "••••••6780"
            assert json.loads(one.details)["after"]["mobile"] == now, who
        assert masked(Role.ADMIN, "consumers.load", '{"rows":[{"mobile":"9123') == "{}", "cut"


@on_reactor
async def test_every_contact_is_kept_and_found(node: Node) -> None:
    async with town(node) as t:
        for number in range(3):
            note = NoteContact(RAM, "CALL", "IN", f"call {number}", "asked about the bill")
            await t.done("asha", "consumers.note_contact", note)
        first = (await t.read("omar", "consumers.contacts", Contacts(RAM, most=2))).contacts
        assert [one.subject for one in first] == ["call 2", "call 1"]
        rest = Contacts(RAM, before=first[-1].contact)
        assert [
            one.subject for one in (await t.read("omar", "consumers.contacts", rest)).contacts
        ] == ["call 0"]
        assert (first[0].user, first[0].counter) == ("asha", "C001")
        nobody = NoteContact("0000000099", "VISIT", "IN", "nobody")
        assert await t.refused("asha", "consumers.note_contact", nobody) == "NO_CONSUMER"


def test_who_may_ask_for_a_change_is_what_the_fields_say() -> None:
    asks = {
        "name": "consumers.change_details",
        "address": "consumers.change_details",
        "category": "consumers.change_details",
        "office": "consumers.change_details",
        "mobile": "consumers.change_mobile",
        "sanctioned_load_w": "consumers.change_load",
    }
    for name, field in FIELDS.items():
        if name not in asks:
            assert field.change == frozenset()
            continue
        operation = CATALOGUE.get(asks[name])
        assert operation is not None
        assert (operation.four_eyes.power if operation.four_eyes else None) == field.power
        for role in PEOPLE:
            allowed = not_allowed(operation, caller(role)) is None
            assert allowed == (role in field.change), (name, role)
