"""The consumers' operations: find, dues, load."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from mpowerd.caller import Caller
from mpowerd.consumers import store
from mpowerd.consumers.rules import HEADS, check_rows
from mpowerd.database import Cursor
from mpowerd.outcomes import instant
from protocols.catalogue.consumers import (
    Consumer,
    Dues,
    DuesAnswer,
    Find,
    Found,
    HeadDue,
    Load,
    Loaded,
)
from protocols.refusals import Refused


async def find(cursor: Cursor, caller: Caller, body: Find) -> Found:
    """Find consumers, at most ``limit``."""
    rows = await store.find(cursor, body.by, body.text, body.limit)
    return Found([Consumer(*row) for row in rows[: body.limit]], len(rows) > body.limit)


async def dues(cursor: Cursor, caller: Caller, body: Dues) -> DuesAnswer:
    """Say what a consumer owes: payable = total - received and not yet verified."""
    rows = await store.dues(cursor, int(body.consumer))
    if not rows:
        raise Refused("NO_CONSUMER", consumer=body.consumer)
    _, received, total, name, last, last_paise, last_at = rows[0]
    return DuesAnswer(
        body.consumer,
        name,
        [HeadDue(HEADS[slot - 1], paise) for slot, paise, *_ in rows if slot and paise],
        total,
        -received,
        total + received,
        last or "",
        last_paise or 0,
        instant(last_at) if last_at else "",
    )


async def load(cursor: Cursor, caller: Caller, body: Load) -> Loaded:
    """Load consumers with opening dues, all or none."""
    try:
        as_of = dt.date.fromisoformat(body.as_of)
    except ValueError:
        reason = f"there is no day {body.as_of}"
        raise Refused("BAD_BODY", operation="consumers.load", reason=reason) from None
    check_rows(body.rows)
    return Loaded(*await store.load(cursor, as_of, caller.user, body.rows))


SERVED: Final[dict[str, Any]] = {
    "consumers.find": find,
    "consumers.dues": dues,
    "consumers.load": load,
}
FUNCTIONS: Final[dict[str, tuple[str, ...]]] = {
    "consumers.find": ("find_consumers_v1",),
    "consumers.dues": ("consumer_dues_v1",),
    "consumers.load": ("load_consumers_v1",),
}
