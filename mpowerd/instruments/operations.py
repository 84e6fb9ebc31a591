"""The instruments' operations: one that came back, and which came back before."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from mpowerd.caller import Caller
from mpowerd.database import Cursor
from mpowerd.instruments import rules
from mpowerd.outcomes import instant
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

LOOK: Final = (
    "SELECT receipt, consumer, name, address, mode, instrument, amount_paise, day, state, moved,"
    " today, slots, paise, charge_paise, bar_days, surcharge_bp"
    " FROM mpower.posted_receipt_v1(%s, %s::smallint, %s)"
)
DISHONOUR: Final = "SELECT mpower.dishonour_v1(%s, %s, %s, %s, %s, %s, %s, %s, %s)"
RETURNED: Final = "SELECT * FROM mpower.dishonours_v1(%s)"


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
    await cursor.execute(DISHONOUR, (caller.session, caller.counter, receipt, *said))
    ((contact,),) = await cursor.fetchall()
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
    await cursor.execute(LOOK, parts or ("", 0, 0))
    row = await cursor.fetchone()
    if parts is None or row is None:
        raise Refused("NO_RECEIPT", receipt=number)
    slots, paise = row[11:13]
    heads = {HEADS[slot - 1]: part for slot, part in zip(slots, paise, strict=True)}
    said: list[Any] = [number, *row[1:11], heads, *row[13:]]
    return row[0], rules.Facts(*said)


async def returned(cursor: Cursor, caller: Caller, body: Returned) -> ReturnedAll:
    """Show which instruments of a consumer came back."""
    await cursor.execute(RETURNED, (int(body.consumer),))
    return ReturnedAll([_returned(row) for row in await cursor.fetchall()])


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
