"""The remittance's operations: sort, see what is pending, make a slip, print it again, realise.

The node's own date comes in by the door (``served``): no credit is of a day to come. What is on a
slip is decided by the database in one statement; the rules judge what a person said about it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, Final

from mpowerd.caller import Caller
from mpowerd.database import Cursor
from mpowerd.remittance import store
from mpowerd.remittance.rules import credit_date, once, said_total
from protocols.catalogue.remittance import (
    AskPending,
    AskSlip,
    AskSlips,
    MakeSlip,
    Pending,
    Realise,
    Slip,
    Slips,
    Sort,
    Sorted,
)


async def sort(cursor: Cursor, caller: Caller, body: Sort) -> Sorted:
    """Keep the bank and the city of cheques."""
    once(body.cheques)
    await store.sort(cursor, body.cheques, caller.user)
    return Sorted(len(body.cheques))


async def pending(cursor: Cursor, caller: Caller, body: AskPending) -> Pending:
    """Give what an office has for the bank."""
    return Pending(body.office, await store.pending(cursor, body.office))


async def make(cursor: Cursor, caller: Caller, body: MakeSlip) -> Slip:
    """Make the office's next slip."""
    slip = await store.make(cursor, body, said_total(body), caller.user)
    return await store.read_slip(cursor, slip)


async def again(cursor: Cursor, caller: Caller, body: AskSlip) -> Slip:
    """Give a slip once more; its key is the audit's entry of the print."""
    return await store.read_slip(cursor, await store.named(cursor, body.slip))


async def slips(cursor: Cursor, caller: Caller, body: AskSlips) -> Slips:
    """List an office's slips."""
    return Slips(await store.slips(cursor, body.office, body.most, waiting=body.waiting))


async def realise(cursor: Cursor, caller: Caller, body: Realise, here: dt.date) -> Slip:
    """Note what the bank has credited."""
    date = credit_date(body.value_date, here)
    slip = await store.named(cursor, body.slip, held=True)
    await store.realise(cursor, slip, body, date, caller.user)
    return await store.read_slip(cursor, slip)


def served(here: Callable[[], dt.date]) -> dict[str, Any]:
    """Give the operations of a node whose own date is ``here()``."""

    async def realise_here(cursor: Cursor, caller: Caller, body: Realise) -> Slip:
        return await realise(cursor, caller, body, here())

    return {
        "remittance.sort": sort,
        "remittance.pending": pending,
        "remittance.make": make,
        "remittance.again": again,
        "remittance.slips": slips,
        "remittance.realise": realise_here,
    }


READ: Final = ("slip_v1", "slip_parts_v1", "slip_lines_v1")
FUNCTIONS: Final[dict[str, tuple[str, ...]]] = {
    "remittance.sort": ("sort_instruments_v1",),
    "remittance.pending": ("to_remit_v1",),
    "remittance.make": ("make_slip_v1", *READ),
    "remittance.again": ("slip_named_v1", *READ),
    "remittance.slips": ("slips_v1",),
    "remittance.realise": ("slip_named_v1", "realise_slip_v1", *READ),
}
