"""The charges' SQL."""

from __future__ import annotations

from typing import Final

from mpowerd.caller import Caller
from mpowerd.database import Cursor
from protocols.catalogue.charges import Raise
from protocols.heads import HEAD_SLOTS

RAISE: Final = "SELECT mpower.raise_charge_v1(%s, %s, %s, %s, %s, %s)"
CONSUMER: Final = "SELECT name, office FROM mpower.consumer_v1(%s)"


async def consumer(cursor: Cursor, number: int) -> tuple[str, str] | None:
    """Give a consumer's name and office; None: there is no such."""
    row = await (await cursor.execute(CONSUMER, (number,))).fetchone()
    return None if row is None else (row[0], row[1])


async def raise_charge(cursor: Cursor, caller: Caller, body: Raise) -> int:
    """Post an approved charge; its voucher."""
    said = (HEAD_SLOTS[body.head], body.amount_paise, body.reference, body.reason)
    await cursor.execute(RAISE, (caller.session, int(body.consumer), *said))
    ((voucher,),) = await cursor.fetchall()
    return int(voucher)
