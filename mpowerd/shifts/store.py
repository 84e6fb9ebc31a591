"""The shifts' SQL, and a shift's sheet as it is read from it."""

from __future__ import annotations

from typing import Any, Final

from mpowerd.caller import Caller
from mpowerd.cash import read, written
from mpowerd.database import Cursor
from mpowerd.outcomes import instant
from mpowerd.paging import fitting
from mpowerd.shifts.rules import PAPER
from protocols.catalogue.shifts import Cash, HandOver, Instrument, ModeCount, PickUp, Sheet

OPEN: Final = "SELECT mpower.open_shift_v1(%s, %s, %s, %s)"
HELD: Final = "SELECT mpower.held_shift_v1(%s)"
AT: Final = "SELECT mpower.shift_at_v1(%s)"
SHIFT: Final = "SELECT * FROM mpower.shift_v1(%s)"
PERSON: Final = "SELECT person FROM mpower.shift_v1(%s)"
MODES: Final = "SELECT mode, receipts, paise FROM mpower.shift_modes_v1(%s)"
INSTRUMENTS: Final = (
    "SELECT receipt, mode, instrument, paise FROM mpower.shift_instruments_v1(%s, %s)"
)
PICK_UPS: Final = "SELECT pick_up, paise, cash, witness, at FROM mpower.shift_pick_ups_v1(%s)"
CLOSE: Final = "SELECT mpower.close_shift_v1(%s, %s, %s, %s, %s, %s)"
PICK_UP: Final = "SELECT mpower.pick_up_v1(%s, %s, %s)"
WITNESS: Final = "SELECT mpower.witness_pick_up_v1(%s, %s)"
HAND_OVER: Final = "SELECT mpower.hand_over_v1(%s, %s, %s, %s, %s, %s, %s)"
OFFERED: Final = "SELECT whom, counted, fresh FROM mpower.offered_v1(%s)"
TAKE_OVER: Final = "SELECT mpower.take_over_v1(%s)"
LISTED: Final = 400
"""Instruments of one sheet: it fits a frame; a longer list is closed by its total."""
LISTED_BYTES: Final = 48 * 1024
PICK_UPS_BYTES: Final = 10 * 1024
"""The newest of a shift's pick-ups: some forty of them, each with its notes."""
NO_LIMIT: Final = -1


async def open_shift(cursor: Cursor, counter: str, clerk: str, cash: Cash, paise: int) -> int:
    """Open a shift; its number."""
    return int(await _one(cursor, OPEN, counter, clerk, written(cash), paise))


async def held(cursor: Cursor, counter: str) -> int:
    """Hold a counter's open shift until the transaction ends; its number."""
    return int(await _one(cursor, HELD, counter))


async def at(cursor: Cursor, counter: str) -> int | None:
    """Give the number of a counter's open shift, else of its last; None: there was none."""
    found = await _one(cursor, AT, counter)
    return None if found is None else int(found)


async def close(
    cursor: Cursor, shift: int, by: str, cash: Cash, paise: int, expected: int, reason: str
) -> None:
    """Close a held shift as it was counted."""
    await _one(cursor, CLOSE, shift, by, written(cash), paise, expected, reason)


async def pick_up(cursor: Cursor, shift: int, cash: Cash, paise: int) -> int:
    """Offer cash of a held shift; the pick-up's number."""
    return int(await _one(cursor, PICK_UP, shift, written(cash), paise))


async def witness(cursor: Cursor, pick_up: int, by: str) -> None:
    """Move a waiting pick-up of a held shift to the strong room."""
    await _one(cursor, WITNESS, pick_up, by)


async def hand_over(
    cursor: Cursor, caller: Caller, stands: Sheet, body: HandOver, paise: int
) -> None:
    """Offer a held shift as it was counted."""
    counted = (written(body.cash), paise, stands.expected_paise, body.reason)
    await _one(cursor, HAND_OVER, stands.shift, body.to, caller.person, *counted)


async def offered(cursor: Cursor, shift: int) -> tuple[str, int, bool] | None:
    """Give (to whom, counted paise, still so) of a held shift's last offer; None: there is none."""
    await cursor.execute(OFFERED, (shift,))
    row = await cursor.fetchone()
    return None if row is None else (row[0], row[1], row[2])


async def take_over(cursor: Cursor, shift: int) -> int:
    """End a held shift as it was offered and begin the next; its number."""
    return int(await _one(cursor, TAKE_OVER, shift))


async def person_of(cursor: Cursor, shift: int) -> str:
    """Give the person whose shift it is."""
    return str(await _one(cursor, PERSON, shift))


async def modes(cursor: Cursor, shift: int) -> dict[str, ModeCount]:
    """Give a shift's receipts by mode."""
    await cursor.execute(MODES, (shift,))
    return {row[0]: ModeCount(*row) for row in await cursor.fetchall()}


async def instruments(cursor: Cursor, shift: int) -> list[Instrument]:
    """Give the instruments on paper in a shift's till."""
    await cursor.execute(INSTRUMENTS, (shift, list(PAPER)))
    return [Instrument(*row) for row in await cursor.fetchall()]


async def sheet(cursor: Cursor, shift: int) -> Sheet:
    """Read a shift whole."""
    await cursor.execute(SHIFT, (shift,))
    row = await cursor.fetchone()
    assert row is not None, f"there is no shift {shift}"
    assert cursor.description is not None
    found: dict[str, Any] = dict(zip([one.name for one in cursor.description], row, strict=True))
    closed = found["closed_at"]
    return Sheet(
        **{name: found[name] for name in _AS_READ},
        business_date=str(found["day"]),
        state="OPEN" if closed is None else "CLOSED",
        opened_at=instant(found["opened_at"]),
        float_cash=read(found["float_cash"]),
        expected_paise=found["cash_paise"],
        limit_paise=NO_LIMIT if found["limit_paise"] is None else found["limit_paise"],
        modes=list((await modes(cursor, shift)).values()),
        instruments=fitting((await instruments(cursor, shift))[:LISTED], LISTED_BYTES),
        pick_ups=fitting((await pick_ups(cursor, shift))[::-1], PICK_UPS_BYTES)[::-1],
        closed_at="" if closed is None else instant(closed),
        counted=read(found["counted_cash"]),
        difference_paise=0 if closed is None else found["counted_paise"] - found["cash_paise"],
    )


_AS_READ: Final = (
    *("shift", "counter", "office", "clerk", "carried_paise", "taken_paise", "picked_paise"),
    *("first_receipt", "last_receipt", "receipts", "cancelled", "closed_by", "handed_paise"),
    *("reason", "handed_to", "returned"),
)


async def pick_ups(cursor: Cursor, shift: int) -> list[PickUp]:
    """Give a shift's pick-ups in order."""
    await cursor.execute(PICK_UPS, (shift,))
    return [
        PickUp(number, paise, read(cash), witness, instant(when))
        for number, paise, cash, witness, when in await cursor.fetchall()
    ]


async def _one(cursor: Cursor, statement: str, *values: object) -> Any:
    await cursor.execute(statement.encode(), values)
    row = await cursor.fetchone()
    assert row is not None, "a function without a set has one row"
    return row[0]
