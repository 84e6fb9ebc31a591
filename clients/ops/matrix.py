"""``mpower admin roles matrix``: which role may ask which operation, whether it asks to prove again
who is there, and within which offices.

It is the declarations themselves, printed: the server decides by the same ones, and a test walks
the whole table on a real database. It asks no server.
"""

from __future__ import annotations

from typing import Final

import click
from msgspec import Struct

from clients.door import answer, json_option
from protocols.catalogue import CATALOGUE
from protocols.operation import Operation, Role
from protocols.powers import AGAIN_FROM, worded

NO_OFFICE: Final = "·"
AT_COUNTERS: Final = ", or at any counter"
LEGEND: Final = """\
x: may ask · 2: asks, a second person approves · a: approves such a request
proves again: asks for a new sign-in where the last is some time ago (sign_in.fresh_s);
    approving: asks whoever approves it, from that value on
within: for whoever belongs to that office or one above it, or holds a power of their own there
    (an auditor reaches the whole board); a request is approved with the power named, held or
    borrowed over the office of its matter;
    ·: no office is asked (one's own till, the board's matter, a request under one's power)"""


class Row(Struct, frozen=True):
    """One operation: the mark of each role, when it asks to prove again, and where it may be
    asked.
    """

    marks: dict[str, str]
    again: str
    within: str


def rows() -> dict[str, Row]:
    """Give the whole table, by operation."""
    return {
        one.name: Row({role.value: _mark(one, role) for role in Role}, _again(one), _within(one))
        for one in CATALOGUE
    }


@click.group("roles")
def roles() -> None:
    """Look at the roles."""


@roles.command("matrix")
@json_option
def matrix(*, as_json: bool) -> None:
    """Print which role may ask which operation, when it proves again who it is, and where."""
    table = rows()
    wide = max(len(name) for name in table)
    proves = max(len(row.again) for row in table.values())
    heads = " ".join(role.value for role in Role)
    lines = [f"{'operation':<{wide}}  {heads}  {'proves again':<{proves}}  within"]
    for name, row in sorted(table.items()):
        marks = " ".join(f"{row.marks[role.value] or '·':<{len(role.value)}}" for role in Role)
        lines.append(f"{name:<{wide}}  {marks}  {row.again or '·':<{proves}}  {row.within}")
    data = {
        "matrix": {name: row.marks for name, row in table.items()},
        "again": {name: row.again for name, row in table.items()},
        "within": {name: row.within for name, row in table.items()},
    }
    answer(data, "\n".join([*lines, LEGEND]), as_json=as_json)


def _mark(operation: Operation, role: Role) -> str:
    asks = "" if role not in operation.roles else "2" if operation.four_eyes else "x"
    approves = operation.four_eyes is not None and role in operation.four_eyes.by
    return asks + ("a" if approves else "")


def _again(operation: Operation) -> str:
    if operation.again or operation.four_eyes is None:
        return operation.again
    power = operation.four_eyes.power
    least = AGAIN_FROM.get(power)
    if least is None:
        return ""
    return f"approving from {worded(power, least)}" if least else "approving"


def _within(operation: Operation) -> str:
    place = NO_OFFICE
    if operation.within is not None:
        kind = operation.within.kind
        place = "the office" if kind == "office" else f"the {kind}'s office"
        place += AT_COUNTERS if operation.within.counters else ""
    approved = operation.four_eyes
    return place if approved is None else f"{place}; approved with {approved.power}"
