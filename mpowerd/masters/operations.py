"""The masters' operations: listing, history, and the change that two people make."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, Final

from mpowerd.approvals.rules import Proposal
from mpowerd.caller import Caller
from mpowerd.database import Cursor
from mpowerd.masters import store
from mpowerd.masters.rules import Standing, judged, still_used, told
from mpowerd.outcomes import instant
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


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise Refused("MASTER_DATE", day=text, why="there is no such day") from None


async def history(cursor: Cursor, caller: Caller, body: MasterHistory) -> MasterVersions:
    """Show how one object changed."""
    rows = await store.history(cursor, body.master, body.key)
    return MasterVersions(
        [MasterVersion(str(day), fields, instant(at)) for day, fields, at in rows]
    )


async def _stands(cursor: Cursor, master: str, day: dt.date) -> Standing:
    """What stands on a day of a master and of all that it refers to or that refers to it."""
    near = {master, *MASTERS[master].refers.values()}
    near |= {name for name, one in MASTERS.items() if master in one.refers.values()}
    return {
        name: {key: row for key, _, row in await store.listed(cursor, name, day)}
        for name in sorted(near)
    } | {name: {} for name in MASTERS if name not in near}


async def _judged(
    cursor: Cursor, body: ChangeMaster, today: dt.date
) -> tuple[dt.date, Standing, dict[str, Fields | None]]:
    """The day, what stands on it, and what would be put; refuses what cannot stand."""
    day = _day(body.valid_from)
    stands = await _stands(cursor, body.master, day)
    used = await store.used(cursor, body.ended) if body.master == "offices" else []
    put = judged(body.master, day, body.rows, body.ended, stands, today, still_used(used))
    return day, stands, put


def served(here: Callable[[], dt.date]) -> dict[str, Any]:
    """Give the operations of a node whose date is ``here()``."""

    async def listed(cursor: Cursor, caller: Caller, body: ListMaster) -> MasterRows:
        day = _day(body.as_of) if body.as_of else here()
        rows = await store.listed(cursor, body.master, day)
        return MasterRows(
            body.master, str(day), [MasterRow(key, str(since), row) for key, since, row in rows]
        )

    async def change(cursor: Cursor, caller: Caller, body: ChangeMaster) -> Nothing:
        day, _, put = await _judged(cursor, body, here())
        whole = {key: row for key, row in put.items() if row is not None}
        order = parents_first(whole) if body.master == "offices" else sorted(whole)
        rows = [(key, put[key]) for key in [*order, *sorted(put.keys() - whole.keys())]]
        await store.change(cursor, body.master, day, rows)
        return Nothing()

    return {"masters.list": listed, "masters.history": history, "masters.change": change}


def proposals(here: Callable[[], dt.date]) -> dict[str, Any]:
    """Say what each four-eyes operation of this room would change."""

    async def propose(cursor: Cursor, body: ChangeMaster) -> Proposal:
        day, stands, put = await _judged(cursor, body, here())
        before = told({key: stands[body.master].get(key) for key in put})
        after = told(put)
        if before != after:
            after["from"] = str(day)
        return Proposal(f"master {body.master}", before, after, 0, HEAD_OFFICE)

    return {"masters.change": propose}


FUNCTIONS: Final[dict[str, tuple[str, ...]]] = {
    "masters.list": ("masters_v1",),
    "masters.history": ("master_history_v1",),
    "masters.change": ("masters_v1", "offices_used_v1", "change_masters_v1"),
}
