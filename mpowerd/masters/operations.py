"""The masters' operations: listing, history, and the change that two people make."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, Final

from msgspec import Struct

from mpowerd.approvals.rules import Proposal
from mpowerd.caller import Caller
from mpowerd.database import Cursor
from mpowerd.masters import store
from mpowerd.masters.rules import Standing, ahead_of, check_later, judged, still_used, told
from mpowerd.outcomes import instant
from mpowerd.paging import fitting, page
from protocols.catalogue.body import Nothing
from protocols.catalogue.masters import (
    ChangeMaster,
    ListMaster,
    MasterHistory,
    MasterRow,
    MasterRows,
    MasterVersion,
    MasterVersions,
)
from protocols.masters import MASTERS, Fields, parents_first
from protocols.refusals import Refused
from protocols.values import HEAD_OFFICE

PAGE: Final = 500


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise Refused("MASTER_DATE", day=text, why="there is no such day") from None


async def history(cursor: Cursor, caller: Caller, body: MasterHistory) -> MasterVersions:
    """Show how one object changed."""
    rows = await store.history(cursor, body.master, body.key)
    every = [MasterVersion(str(day), fields, instant(at)) for day, fields, at in rows]
    return MasterVersions(*page(every, _said_when, body.mark, newest_first=True))


def _said_when(one: MasterVersion) -> str:
    return f"{one.valid_from} {one.changed_at}"


def _near(master: str) -> set[str]:
    """The master, what it refers to and what refers to it."""
    near = {master, *MASTERS[master].refers.values()}
    return near | {name for name, one in MASTERS.items() if master in one.refers.values()}


async def _stands(cursor: Cursor, master: str, day: dt.date) -> Standing:
    """What stands on a day of a master and of all that is near it."""
    near = _near(master)
    return {
        name: {key: row for key, _, row in await store.listed(cursor, name, day)}
        for name in sorted(near)
    } | {name: {} for name in MASTERS if name not in near}


class _Judged(Struct, frozen=True):
    """The day, what stands on it, what would be put, and from which day some of that stands
    otherwise again, because it was changed ahead.
    """

    day: dt.date
    stands: Standing
    put: dict[str, Fields | None]
    ahead: dict[str, dt.date]


async def _judged(cursor: Cursor, body: ChangeMaster, today: dt.date) -> _Judged:
    """Judge a change; refuses what cannot stand, on its day or later."""
    day, master = _day(body.valid_from), body.master
    stands = await _stands(cursor, master, day)
    used = await store.used(cursor, body.ended) if master == "offices" else []
    put = judged(master, day, body.rows, body.ended, stands, today, still_used(used))
    near = sorted(_near(master))
    changed = await store.ahead(cursor, near, day)
    ahead = ahead_of(changed, master)
    if len(near) > 1:
        days = sorted({one for one, _, _ in changed})
        check_later(master, put, ahead, {one: await _stands(cursor, master, one) for one in days})
    return _Judged(day, stands, put, {key: ahead[key] for key in put if key in ahead})


def served(here: Callable[[], dt.date]) -> dict[str, Any]:
    """Give the operations of a node whose date is ``here()``."""

    async def listed(cursor: Cursor, caller: Caller, body: ListMaster) -> MasterRows:
        day = _day(body.as_of) if body.as_of else here()
        rows = await store.listed(cursor, body.master, day, body.after, PAGE + 1)
        kept = fitting([MasterRow(key, str(since), row) for key, since, row in rows[:PAGE]])
        return MasterRows(body.master, str(day), kept, len(kept) < len(rows))

    async def change(cursor: Cursor, caller: Caller, body: ChangeMaster) -> Nothing:
        found = await _judged(cursor, body, here())
        put = found.put
        whole = {key: row for key, row in put.items() if row is not None}
        order = parents_first(whole) if body.master == "offices" else sorted(whole)
        rows = [(key, put[key]) for key in [*order, *sorted(put.keys() - whole.keys())]]
        await store.change(cursor, body.master, found.day, rows)
        return Nothing()

    return {"masters.list": listed, "masters.history": history, "masters.change": change}


def proposals(here: Callable[[], dt.date]) -> dict[str, Any]:
    """Say what each four-eyes operation of this room would change."""

    async def propose(cursor: Cursor, body: ChangeMaster) -> Proposal:
        found = await _judged(cursor, body, here())
        before = told({key: found.stands[body.master].get(key) for key in found.put})
        after = told(found.put)
        if before != after:
            after["from"] = str(found.day)
            after |= {f"{key}.until": str(day) for key, day in found.ahead.items()}
        return Proposal(f"master {body.master}", before, after, 0, HEAD_OFFICE)

    return {"masters.change": propose}


FUNCTIONS: Final[dict[str, tuple[str, ...]]] = {
    "masters.list": ("masters_v1",),
    "masters.history": ("master_history_v1",),
    "masters.change": (
        *("masters_v1", "masters_ahead_v1", "offices_used_v1", "change_masters_v1"),
    ),
}
