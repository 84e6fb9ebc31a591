"""The shifts' operations: open, see, close.

The database holds a counter's shift while it is judged, the rules compare what was counted with
what was taken, one call books it. A clerk works on the own shift at the counter of the certificate;
an officer closes one that was left behind.
"""

from __future__ import annotations

from typing import Any, Final

from mpowerd.caller import Caller
from mpowerd.database import Cursor
from mpowerd.shifts import store
from mpowerd.shifts.rules import counted, judge_closing
from protocols.catalogue.shifts import CloseShift, OpenShift, Sheet, ShowShift
from protocols.operation import Role
from protocols.refusals import Refused


async def open_shift(cursor: Cursor, caller: Caller, body: OpenShift) -> Sheet:
    """Open the caller's shift at this counter."""
    paise = counted(body.cash)
    shift = await store.open_shift(cursor, caller.counter, caller.user, body.cash, paise)
    return await store.sheet(cursor, shift)


async def show(cursor: Cursor, caller: Caller, body: ShowShift) -> Sheet:
    """Give a counter's open shift, else its last."""
    counter = body.counter or caller.counter
    shift = await store.at(cursor, counter)
    if shift is None:
        raise Refused("NO_SHIFT", counter=counter)
    return await store.sheet(cursor, shift)


async def close(cursor: Cursor, caller: Caller, body: CloseShift) -> Sheet:
    """Close a counter's shift as it was counted."""
    counter = body.counter or caller.counter
    shift = await store.held(cursor, counter)
    stands = await store.sheet(cursor, shift)
    _own(caller, stands)
    if caller.role is Role.OFFICER and not body.reason.strip():
        raise Refused("CLOSE_REASON", counter=counter, clerk=stands.clerk)
    modes = await store.modes(cursor, shift)
    instruments = await store.instruments(cursor, shift)
    paise = judge_closing(body, stands.expected_paise, modes, instruments)
    await store.close(
        cursor, shift, caller.user, body.cash, paise, stands.expected_paise, body.reason
    )
    return await store.sheet(cursor, shift)


def _own(caller: Caller, stands: Sheet) -> None:
    """Refuse a clerk who is at another's shift, or at another counter."""
    if caller.role is not Role.CLERK:
        return
    if stands.counter != caller.counter:
        raise Refused("OTHER_COUNTER", counter=stands.counter, here=caller.counter)
    if stands.clerk != caller.user:
        raise Refused("SHIFT_OF_ANOTHER", counter=stands.counter)


SERVED: Final[dict[str, Any]] = {
    "shifts.open": open_shift,
    "shifts.show": show,
    "shifts.close": close,
}
READ: Final = ("shift_v1", "shift_modes_v1", "shift_instruments_v1", "shift_pick_ups_v1")
FUNCTIONS: Final[dict[str, tuple[str, ...]]] = {
    "shifts.open": ("open_shift_v1", *READ),
    "shifts.show": ("shift_at_v1", *READ),
    "shifts.close": ("held_shift_v1", "close_shift_v1", *READ),
}
