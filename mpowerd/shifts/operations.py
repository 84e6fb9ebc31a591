"""The shifts' operations: open, see, pick up, hand over, close.

The database holds a counter's shift while it is judged, the rules compare what was counted with
what was taken, one call books it. A clerk works on the own shift at the counter of the certificate;
an officer closes one that was left behind.
"""

from __future__ import annotations

from typing import Any, Final

from msgspec.structs import replace

from mpowerd.caller import Caller
from mpowerd.cash import counted
from mpowerd.database import Cursor
from mpowerd.shifts import store
from mpowerd.shifts.rules import judge_closing, judge_pick_up
from protocols.catalogue.shifts import (
    CloseShift,
    HandOver,
    Offered,
    OpenShift,
    PickUp,
    PickUpCash,
    Sheet,
    ShowShift,
    TakeOver,
    Witness,
)
from protocols.operation import Role
from protocols.refusals import Refused
from protocols.values import rupees


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
    stands = await _held(cursor, caller, body.counter)
    if caller.role is Role.OFFICER and not body.reason.strip():
        raise Refused("CLOSE_REASON", counter=stands.counter, clerk=stands.clerk)
    paise = await _counted(cursor, stands, body)
    await store.close(
        cursor, stands.shift, caller.user, body.cash, paise, stands.expected_paise, body.reason
    )
    return await store.sheet(cursor, stands.shift)


async def pick_up(cursor: Cursor, caller: Caller, body: PickUpCash) -> PickUp:
    """Offer cash of the caller's till for a pick-up."""
    stands = await _held(cursor, caller)
    paise = counted(body.cash)
    judge_pick_up(paise, stands.expected_paise)
    number = await store.pick_up(cursor, stands.shift, body.cash, paise)
    return await _pick_up(cursor, stands, number)


async def witness(cursor: Cursor, caller: Caller, body: Witness) -> PickUp:
    """Witness a pick-up: its cash leaves the till."""
    stands = await _held(cursor, caller, body.counter)
    waits = await _pick_up(cursor, stands, body.pick_up)
    if waits.witness:
        raise Refused("NO_PICK_UP", pick_up=body.pick_up, counter=stands.counter)
    if waits.paise != body.total_paise:
        said, found = rupees(body.total_paise), rupees(waits.paise)
        raise Refused("PICK_UP_TOTAL", pick_up=body.pick_up, said=said, found=found)
    if await store.person_of(cursor, stands.shift) == caller.person:
        raise Refused("OWN_PICK_UP", counter=stands.counter)
    judge_pick_up(waits.paise, stands.expected_paise)
    await store.witness(cursor, body.pick_up, caller.user)
    return await _pick_up(cursor, stands, body.pick_up)


async def hand_over(cursor: Cursor, caller: Caller, body: HandOver) -> Offered:
    """Offer the caller's shift, counted, to another clerk."""
    stands = await _held(cursor, caller)
    paise = await _counted(cursor, stands, body)
    await store.hand_over(cursor, caller, stands, body, paise)
    difference = paise - stands.expected_paise
    return Offered(stands.counter, stands.shift, body.to, paise, difference)


async def take_over(cursor: Cursor, caller: Caller, body: TakeOver) -> Sheet:
    """Take over the shift that was offered to the caller at this counter."""
    shift = await store.held(cursor, caller.counter)
    stands = await store.sheet(cursor, shift)
    offer = await store.offered(cursor, shift)
    if offer is None or offer[0] != caller.user:
        raise Refused("NO_OFFER", counter=caller.counter)
    _, theirs, fresh = offer
    if not fresh:
        raise Refused("OFFER_STALE", counter=caller.counter, clerk=stands.clerk)
    yours = counted(body.cash)
    if yours != theirs:
        said = {"yours": rupees(yours), "theirs": rupees(theirs)}
        raise Refused("COUNT_DIFFERS", clerk=stands.clerk, **said)
    return await store.sheet(cursor, await store.take_over(cursor, shift))


async def _held(cursor: Cursor, caller: Caller, counter: str = "") -> Sheet:
    """Hold a counter's open shift; a clerk's own, at the own counter."""
    stands = await store.sheet(cursor, await store.held(cursor, counter or caller.counter))
    if caller.role is Role.CLERK:
        if stands.counter != caller.counter:
            raise Refused("OTHER_COUNTER", counter=stands.counter, here=caller.counter)
        if stands.clerk != caller.user:
            raise Refused("SHIFT_OF_ANOTHER", counter=stands.counter)
    return stands


async def _counted(cursor: Cursor, stands: Sheet, body: CloseShift | HandOver) -> int:
    """Judge what was counted against what a held shift took; the counted cash in paise."""
    modes = await store.modes(cursor, stands.shift)
    instruments = await store.instruments(cursor, stands.shift)
    return judge_closing(body, stands.expected_paise, modes, instruments)


async def _pick_up(cursor: Cursor, stands: Sheet, number: int) -> PickUp:
    for one in await store.pick_ups(cursor, stands.shift):
        if one.pick_up == number:
            return replace(one, counter=stands.counter)
    raise Refused("NO_PICK_UP", pick_up=number, counter=stands.counter)


SERVED: Final[dict[str, Any]] = {
    "shifts.open": open_shift,
    "shifts.show": show,
    "shifts.close": close,
    "shifts.pick_up": pick_up,
    "shifts.witness": witness,
    "shifts.hand_over": hand_over,
    "shifts.take_over": take_over,
}
READ: Final = ("shift_v1", "shift_modes_v1", "shift_instruments_v1", "shift_pick_ups_v1")
FUNCTIONS: Final[dict[str, tuple[str, ...]]] = {
    "shifts.open": ("open_shift_v1", *READ),
    "shifts.show": ("shift_at_v1", *READ),
    "shifts.close": ("held_shift_v1", "close_shift_v1", *READ),
    "shifts.pick_up": ("held_shift_v1", "pick_up_v1", *READ),
    "shifts.witness": ("held_shift_v1", "witness_pick_up_v1", *READ),
    "shifts.hand_over": ("held_shift_v1", "hand_over_v1", *READ),
    "shifts.take_over": ("held_shift_v1", "offered_v1", "take_over_v1", *READ),
}
