"""The instruments' operations: one that came back, and which came back before."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from mpowerd.caller import Caller
from mpowerd.database import Cursor
from mpowerd.instruments import rules, store
from mpowerd.outcomes import instant
from mpowerd.paging import page
from protocols.catalogue.instruments import (
    Dishonour,
    Dishonoured,
    Returned,
    ReturnedAll,
    ReturnedOne,
)
from protocols.heads import HEADS
from protocols.refusals import Refused
from protocols.values import numbered


async def dishonour(cursor: Cursor, caller: Caller, body: Dishonour) -> Dishonoured:
    """Take back a receipt whose instrument was returned unpaid."""
    receipt, facts = await _facts(cursor, body.receipt)
    try:
        returned_on = dt.date.fromisoformat(body.returned_on)
    except ValueError:
        reason = f"there is no day {body.returned_on}"
        raise Refused("BAD_BODY", operation="instruments.dishonour", reason=reason) from None
    rules.check(facts, returned_on)
    days = (returned_on - facts.day).days
    surcharge = rules.surcharge(facts.heads, days, facts.surcharge_bp)
    until = rules.barred_until(facts)
    notice = rules.notice(facts, returned_on, body.reason, surcharge)
    said = (returned_on, body.reason, facts.charge_paise, surcharge, until, "\n".join(notice))
    contact = await store.dishonour(cursor, caller, receipt, said)
    return Dishonoured(
        body.receipt,
        facts.consumer,
        facts.name,
        facts.amount_paise,
        facts.charge_paise,
        surcharge,
        str(until or ""),
        notice,
        contact,
    )


async def _facts(cursor: Cursor, number: str) -> tuple[int, rules.Facts]:
    parts = numbered(number)
    row = await store.posted(cursor, parts) if parts is not None else None
    if row is None:
        raise Refused("NO_RECEIPT", receipt=number)
    slots, paise = row[10:12]
    heads = {HEADS[slot - 1]: part for slot, part in zip(slots, paise, strict=True)}
    said: list[Any] = [number, *row[1:10], heads, *row[12:]]
    return row[0], rules.Facts(*said)


async def returned(cursor: Cursor, caller: Caller, body: Returned) -> ReturnedAll:
    """Show which instruments of a consumer came back."""
    every = [_returned(row) for row in await store.returned(cursor, int(body.consumer))]
    return ReturnedAll(*page(every, _when, body.mark, newest_first=True))


def _when(one: ReturnedOne) -> str:
    return f"{one.at} {one.receipt}"


def _returned(row: tuple[Any, ...]) -> ReturnedOne:
    said: list[Any] = list(row)
    said[4], said[8] = str(row[4]), str(row[8] or "")
    said[9], said[11] = row[9].split("\n"), instant(row[11])
    return ReturnedOne(*said)


SERVED: Final[dict[str, Any]] = {
    "instruments.dishonour": dishonour,
    "instruments.returned": returned,
}
FUNCTIONS: Final[dict[str, tuple[str, ...]]] = {
    "instruments.dishonour": ("posted_receipt_v1", "dishonour_v1"),
    "instruments.returned": ("dishonours_v1",),
}
