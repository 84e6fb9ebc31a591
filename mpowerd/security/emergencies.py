"""Emergency powers: given by two for hours, told while they stand, then reviewed by a third."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

import msgspec

from mpowerd.approvals.rules import Proposal
from mpowerd.caller import Caller
from mpowerd.database import Cursor
from mpowerd.outcomes import instant
from mpowerd.paging import fitting, page
from protocols.catalogue.body import Nothing
from protocols.catalogue.emergencies import (
    BreakGlass,
    DecidedThen,
    Emergencies,
    EmergenciesFound,
    Emergency,
    EmergencyReviewed,
    ReviewEmergency,
)
from protocols.powers import UNITS, worded

GLASS: Final = "SELECT mpower.break_glass_v1(%s, %s, %s, %s, %s)"
FOUND: Final = (
    "SELECT power_id, person, power, most, office, since, until, stands, given_by, reviewed_at,"
    " reviewed_by, review, decisions FROM mpower.emergencies_v1(%s)"
)
DECIDED_BYTES: Final = 40 * 1024
"""Of the decisions that are told of one emergency power: above a thousand, and it lasts hours."""
REVIEW: Final = "SELECT mpower.review_emergency_v1(%s, %s, %s)"


async def propose_glass(cursor: Cursor, body: BreakGlass) -> Proposal:
    """Say which emergency power would stand, where, up to what and for how long."""
    bound = f" up to {worded(body.power, body.most)}" if body.most else ""
    bound = bound or (" without limit" if UNITS[body.power] else "")
    after = {"emergency": f"{body.power} at {body.office}{bound}", "hours": str(body.hours)}
    about = f"emergency power of {body.person}"
    return Proposal(about, {}, after, 0, body.office, (body.person,))


async def break_glass(cursor: Cursor, caller: Caller, body: BreakGlass) -> Nothing:
    """Give an emergency power (approved)."""
    most = body.most or None
    await cursor.execute(GLASS, (body.person, body.power, most, body.office, body.hours))
    return Nothing()


async def emergencies(cursor: Cursor, caller: Caller, body: Emergencies) -> EmergenciesFound:
    """Say which stand or wait for their review, or all."""
    every = await found(cursor, whole=body.whole)
    return EmergenciesFound(*page(every, _number, body.mark, newest_first=True))


def _number(one: Emergency) -> str:
    return f"{one.power_id:010}"


async def review(cursor: Cursor, caller: Caller, body: ReviewEmergency) -> EmergencyReviewed:
    """Settle one that is over."""
    await cursor.execute(REVIEW, (caller.session, body.power_id, body.remark))
    return EmergencyReviewed(body.power_id)


async def found(cursor: Cursor, *, whole: bool = False) -> list[Emergency]:
    """Give those that stand or wait for their review, or all; newest first."""
    await cursor.execute(FOUND, (whole,))
    return [_emergency(*row) for row in await cursor.fetchall()]


def _emergency(*row: Any) -> Emergency:
    number, person, power, most, office, since, until, stands, given_by, at, by, said, done = row
    decided = [DecidedThen(int(one), what) for one, what in msgspec.json.decode(done)]
    decided = fitting(decided, DECIDED_BYTES)
    reviewed: dt.datetime | None = at
    return Emergency(
        *(number, person, power, most or 0, office, instant(since), instant(until), stands),
        *(given_by, decided, instant(reviewed) if reviewed else "", by or "", said or ""),
    )
