"""The instruments' SQL."""

from __future__ import annotations

from typing import Any, Final

from mpowerd.caller import Caller
from mpowerd.database import Cursor

POSTED: Final = (
    "SELECT receipt, consumer, name, address, mode, instrument, amount_paise, day, state,"
    " today, slots, paise, charge_paise, bar_days, surcharge_bp"
    " FROM mpower.posted_receipt_v1(%s, %s::smallint, %s)"
)
DISHONOUR: Final = "SELECT mpower.dishonour_v1(%s, %s, %s, %s, %s, %s, %s, %s, %s)"
RETURNED: Final = "SELECT * FROM mpower.dishonours_v1(%s)"


async def posted(cursor: Cursor, receipt: tuple[str, int, int]) -> tuple[Any, ...] | None:
    """Give (and lock) a receipt as it stands, with the board's rule of today; None: no such."""
    await cursor.execute(POSTED, receipt)
    return await cursor.fetchone()


async def dishonour(cursor: Cursor, caller: Caller, receipt: int, said: tuple[object, ...]) -> int:
    """Take a receipt back; ``said``: returned on, reason, charge and surcharge in paise, barred
    until, notice. The contact's number.
    """
    await cursor.execute(DISHONOUR, (caller.session, caller.counter, receipt, *said))
    ((contact,),) = await cursor.fetchall()
    return int(contact)


async def returned(cursor: Cursor, consumer: int) -> list[tuple[Any, ...]]:
    """Give what came back of a consumer's instruments."""
    await cursor.execute(RETURNED, (consumer,))
    return await cursor.fetchall()
