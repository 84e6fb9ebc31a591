"""Whose office's matter something is, and whether who asks reaches that office.

An operation declares it (``within``); the database knows the tree of offices, where a person
belongs and in which offices they hold powers. Besides this the rows of an office are fenced by row
security. This file must not know any operation.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from mpowerd.caller import Caller
from mpowerd.database import Cursor
from mpowerd.seats import kind_of
from protocols.operation import Operation
from protocols.refusals import Refused

REACH: Final = "SELECT mpower.reach_v1(%s, %s, %s)"


async def office_out_of_reach(cursor: Cursor, caller: Caller, kind: str, name: str) -> str:
    """Give the office of an object if the caller does not reach it; '' if they do, or if there is
    no such object.
    """
    await cursor.execute(REACH, (caller.session, kind, name))
    row = await cursor.fetchone()
    assert row is not None, "a function without a set has one row"
    return str(row[0])


async def check_office(
    cursor: Cursor, caller: Caller, operation: Operation | None, body: Struct
) -> None:
    """Refuse OUT_OF_OFFICE where the operation is the matter of an office out of reach."""
    within = operation.within if operation is not None else None
    if within is None or (within.counters and kind_of(caller.subject) == "counter"):
        return
    name = str(getattr(body, within.field))
    office = await office_out_of_reach(cursor, caller, within.kind, name)
    if office:
        raise Refused("OUT_OF_OFFICE", object=f"{within.kind} {name}", office=office)
