"""The printed matrix, walked whole on a real database: for every operation and every role of
people, whether a stale sign-in is sent to prove itself and an office out of reach is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from msgspec.structs import replace

from clients.ops import matrix
from mpowerd.refusals import refusal_of
from mpowerd.seats import SEATS
from protocols.catalogue import CATALOGUE
from protocols.catalogue.consumers import Load
from protocols.catalogue.security import AddCounter
from protocols.operation import Operation, Role
from protocols.refusals import Refused
from tests.database.town import LANE, Town, add_people, row, town
from tests.postgres_nodes import Node, on_reactor
from tests.protocols import examples

HERE, ELSEWHERE = "S1", "S2"
CONSUMER, COUNTER = "0000000501", "C501"
NAMES = {
    "consumer": CONSUMER,
    "counter": COUNTER,
    "receipt": f"{COUNTER}/2026-27/1",
    "office": HERE,
}
PLACES = {"counter": "counter/C001", "ops": "ops/desk"}
ROLES = [one for one in Role if one not in {Role.BANK, Role.TERMINAL}]
Seat = tuple[Role, str, str]
"""As what, at which kind of certificate, of which office."""


def seats() -> Iterator[Seat]:
    for role in ROLES:
        for kind in ("counter", "ops"):
            if role in SEATS[kind]:
                yield from ((role, kind, office) for office in (HERE, ELSEWHERE))


def named(seat: Seat) -> str:
    role, kind, office = seat
    return f"{role.value}.{kind}.{office.lower()}"


async def settle(t: Town) -> None:
    """Two offices side by side, a consumer and a counter in one, and every seat in each."""
    for office in (HERE, ELSEWHERE):
        t.look(
            "INSERT INTO mpower.offices VALUES (%s, %s, 'ZONE', 'HO') RETURNING 1", office, office
        )
    await t.done("adil", "security.add_counter", AddCounter(COUNTER, HERE))
    placed = replace(row(CONSUMER, "Lia"), office=HERE)
    await t.done("adil", "consumers.load", Load("2026-11-01", [placed]))
    for place, seat in enumerate(seats()):
        role, kind, office = seat
        person = f"E-SEAT-{place}"
        t.look("INSERT INTO mpower.persons VALUES (%s, 'x', 'x', %s) RETURNING 1", person, office)
        add_people(t, {named(seat): (person, role, PLACES[kind])})


def body_of(operation: Operation) -> Any:
    """The example of an operation, about what is in the one office."""
    body = examples.BODIES[operation.name][0]
    if operation.within is None:
        return body
    field = operation.within.field
    named_by = NAMES | {"office": f"{HERE}/2026-27/1"} if field == "slip" else NAMES
    return replace(body, **{field: named_by[operation.within.kind]})


async def code(t: Town, who: str, operation: Operation) -> str:
    """What somebody is refused with, '' where it is done."""
    body = body_of(operation)
    if operation.keyed:
        outcome = await t.ask(who, operation.name, body)
        return "" if outcome.refusal is None else outcome.refusal[0]
    try:
        await t.read(who, operation.name, body)
    except (Refused, psycopg.Error) as trouble:
        refused = trouble if isinstance(trouble, Refused) else refusal_of(trouble)
        if refused is None:
            raise
        return refused.code
    return ""


WALKED = [one for one in CATALOGUE if one.name != LANE and one.roles & set(ROLES)]


@pytest.mark.parametrize("role", ROLES)
@on_reactor
async def test_the_matrix_says_what_the_server_does(node: Node, role: Role) -> None:
    table = matrix.rows()
    async with town(node) as t:
        await settle(t)
        mine = [seat for seat in seats() if seat[0] is role]
        for operation in WALKED:
            said = table[operation.name]
            if not said.marks[role.value].startswith(("x", "2")):
                continue
            for _, kind, office in mine:
                who = named((role, kind, office))
                t.people[who] = replace(t.people[who], fresh=True)
                served = matrix.AT_COUNTERS in said.within and kind == "counter"
                fenced = not said.within.startswith(matrix.NO_OFFICE)
                away = fenced and office == ELSEWHERE and not served and role is not Role.AUDITOR
                got = await code(t, who, operation)
                assert (got == "OUT_OF_OFFICE") is away, (operation.name, who, got)
                assert got != "PROVE_AGAIN", (operation.name, who)
                t.people[who] = replace(t.people[who], fresh=False)
                got = await code(t, who, operation)
                asks = said.again == "always" and not away
                assert (got == "PROVE_AGAIN") is asks, (operation.name, who, got)
