"""A lent power gives exactly itself: these requests, in these offices, until then. The lender's
offices do not come with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import psycopg
import pytest
from msgspec.structs import replace

from mpowerd.refusals import refusal_of
from protocols.catalogue import CATALOGUE
from protocols.catalogue.approvals import Approve, Delegate, EndDelegation
from protocols.catalogue.charges import Raise
from protocols.catalogue.consumers import Account, ChangeDetails, ChangeLoad, Load
from protocols.catalogue.security import AddCounter
from protocols.operation import Role
from protocols.powers import Power
from protocols.refusals import Refused
from tests.database.town import Town, add_people, row, town
from tests.postgres_nodes import Node, on_reactor

ABOVE = {
    "Z1": "HO",
    "D1": "Z1",
    "S1": "D1",
    "S2": "D1",
    "D2": "Z1",
    "S3": "D2",
    "Z2": "HO",
    "S4": "Z2",
}
KINDS = {"Z": "ZONE", "D": "DIVISION", "S": "SUBDIVISION"}
CONSUMERS = {office: f"00000005{place:02}" for place, office in enumerate(ABOVE, 1)}
COUNTERS = {office: f"C5{place:02}" for place, office in enumerate(ABOVE, 1)}
PEOPLE = {
    "mira": ("E-MIRA", Role.OFFICER, "ops/desk5", "HO"),
    "rita": ("E-RITA", Role.RECEIVER, "counter/C001", "HO"),
    "boss": ("E-BOSS", Role.OFFICER, "ops/desk6", "HO"),
    "lena": ("E-LENA", Role.OFFICER, "ops/desk7", "D1"),
    "bea": ("E-BEA", Role.OFFICER, "ops/desk8", "S4"),
}
WATTS = 5_000
OWN = (
    # whose, which, up to, where
    *(("E-BOSS", power, None, "HO") for power in ("CONSUMER", "LOAD", "CHARGE")),
    ("E-LENA", "CONSUMER", None, "D1"),
    ("E-LENA", "LOAD", WATTS - 1, "Z1"),
    ("E-LENA", "LOAD", None, "S3"),
    ("E-LENA", "CHARGE", None, "Z2"),
    ("E-BEA", "LOAD", None, "S4"),
)
REASON = "seen the paper"
Allowed = set[tuple[str, str]]
"""(what, at which office)."""


class Asked(NamedTuple):
    """A request that waits."""

    number: int
    content: bytes
    operation: str
    power: str
    value: int
    office: str


async def settle(t: Town) -> list[Asked]:
    """Make the tree, its people and powers, and a request of each kind in every office."""
    for office, parent in ABOVE.items():
        t.look(
            "INSERT INTO mpower.offices VALUES (%s, %s, %s, %s) RETURNING 1",
            *(office, office, KINDS[office[0]], parent),
        )
        await t.done("adil", "security.add_counter", AddCounter(COUNTERS[office], office))
    placed = [replace(row(CONSUMERS[office], office), office=office) for office in ABOVE]
    await t.done("adil", "consumers.load", Load("2026-11-01", placed))
    for person, _, _, office in PEOPLE.values():
        t.look(
            "INSERT INTO mpower.persons VALUES (%s, %s, 'x', %s) RETURNING 1",
            person,
            *(person, office),
        )
    add_people(t, {user: one[:3] for user, one in PEOPLE.items()})
    for one in OWN:
        t.look(
            "INSERT INTO mpower.powers (person, power, most, office, valid_from, granted_at)"
            " VALUES (%s, %s, %s, %s, current_date, now()) RETURNING 1",
            *one,
        )
    for consumer in CONSUMERS.values():
        details = ChangeDetails(consumer, {"name": "Another"}, REASON)
        await t.done("rita", "consumers.change_details", details)
        await t.done("rita", "consumers.change_load", ChangeLoad(consumer, WATTS, REASON))
        charge = Raise(consumer, "SUNDRY", 5_00, "note 7", REASON)
        await t.done("mira", "charges.raise", charge)
    rows = t.look("SELECT request, content, operation, power, value, office FROM mpower.approvals")
    return [Asked(*one) for one in rows]


class Asker:
    """Somebody who tries functions, nothing of which stays."""

    def __init__(self, connection: psycopg.Connection[Any], token: bytes) -> None:
        self.token, self._connection = token, connection

    def may(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """What a function answers; nothing where it refuses."""
        try:
            with self._connection.transaction(force_rollback=True):
                return self._connection.execute(query.encode(), values).fetchall()
        except psycopg.Error as error:
            if refusal_of(error) is None:
                raise
            return []


def allowed(t: Town, who: str, asked: Iterable[Asked]) -> Allowed:
    """All that somebody may: every operation of an office there, every act upon every request."""
    token = t.people[who].session
    with psycopg.connect(t.superuser) as c:
        c.execute("SELECT set_config('mpower.session', %s, true)", [token.hex()])
        asker = Asker(c, token)
        waiting = asker.may("SELECT request FROM mpower.inbox_v1(%s, false, 100)", token)
        listed = {("inbox " + a.operation, a.office) for a in asked if (a.number,) in waiting}
        return listed | set(_reached(asker)) | set(_decided(asker, asked))


def _reached(asker: Asker) -> Iterator[tuple[str, str]]:
    reach = "SELECT mpower.reach_v1(%s, %s, %s)"
    for office in ABOVE:
        names = {"consumer": CONSUMERS[office], "office": office}
        names |= dict.fromkeys(("counter", "receipt"), COUNTERS[office])
        reached = {
            k for k, name in names.items() if asker.may(reach, asker.token, k, name) == [("",)]
        }
        for operation in CATALOGUE:
            if operation.within is not None and operation.within.kind in reached:
                yield operation.name, office


def _decided(asker: Asker, asked: Iterable[Asked]) -> Iterator[tuple[str, str]]:
    answer = "SELECT mpower.answer_approval_v1(%s, %s, %s, %s, %s, %s, 'so')"
    for one in asked:
        seen = (asker.token, one.number, 1, one.content)
        tries: dict[str, tuple[Any, ...]] = {
            "approve": ("SELECT FROM mpower.approve_v1(%s, %s, %s, %s, '', '{}')", *seen),
            "reject": (answer, *seen, "REJECTED", None),
            "return": (answer, *seen, "RETURNED", None),
            "forward": (answer, *seen, "FORWARDED", "E-BOSS"),
            "show": ("SELECT FROM mpower.approval_v1(%s, %s)", asker.token, one.number),
        }
        for act, (query, *values) in tries.items():
            if asker.may(query, *values):
                yield f"{act} {one.operation}", one.office


def within(office: str, above: str) -> bool:
    return office == above or (office in ABOVE and within(ABOVE[office], above))


def lent(powers: Iterable[str], asked: Iterable[Asked]) -> Allowed:
    """What loans of Lena's powers give, by the words of the rule."""
    gives: Allowed = set()
    for person, power, most, office in OWN:
        for one in asked:
            if person != "E-LENA" or power not in powers or power != one.power:
                continue
            if within(one.office, office):
                enough = most is None or one.value <= most
                acts = ["show", "reject", "return", "forward"] + ["approve", "inbox"] * enough
                gives |= {(f"{act} {one.operation}", one.office) for act in acts}
    return gives


@on_reactor
async def test_a_loan_adds_exactly_its_power_in_its_offices_until_its_end(node: Node) -> None:
    async with town(node) as t:
        asked = await settle(t)
        ((today, last),) = t.look("SELECT current_date::text, (current_date + 1)::text")
        before = allowed(t, "bea", asked)
        assert ("consumers.account", "S4") in before
        assert {office for _, office in before} == {"S4"}
        kinds = ("CONSUMER", "LOAD", "CHARGE")
        for powers in (*((one,) for one in kinds), kinds):
            numbers = []
            for power in powers:
                loan = Delegate("E-BEA", Power(power), today, last, "on leave")
                numbers.append((await t.done("lena", "approvals.delegate", loan)).delegation)
            gives = lent(powers, asked)
            assert gives - before, powers
            assert allowed(t, "bea", asked) == before | gives, powers
            t.look(
                "UPDATE mpower.delegations SET valid_from = now() - interval '2 s',"
                " valid_to = now() - interval '1 s' WHERE delegation_id = %s RETURNING 1",
                numbers[0],
            )
            for number in numbers[1:]:
                await t.done("lena", "approvals.end_delegation", EndDelegation(number))
            assert allowed(t, "bea", asked) == before, powers


@on_reactor
async def test_what_is_decided_with_a_lent_power_names_the_lender_and_opens_no_file(
    node: Node,
) -> None:
    async with town(node) as t:
        asked = await settle(t)
        ((today,),) = t.look("SELECT current_date::text")
        loan = Delegate("E-BEA", Power.CONSUMER, today, today, "on leave")
        await t.done("lena", "approvals.delegate", loan)
        (one,) = (a for a in asked if (a.power, a.office) == ("CONSUMER", "S1"))
        await t.done("bea", "approvals.approve", Approve(one.number, 1, one.content, "seen"))
        acts = t.look("SELECT lent_by FROM mpower.approval_acts WHERE act = 'APPROVED'")
        assert acts == [("E-LENA",)]
        with pytest.raises(Refused, match="OUT_OF_OFFICE"):
            await t.read("bea", "consumers.account", Account(CONSUMERS["S1"]))
        t.is_well()
