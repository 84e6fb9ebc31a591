"""What a person is asked when they count a till: the cash a denomination a line, then, where a
shift is closed or handed over, how many of each other mode there are and what they sum to.

Which modes there are is asked of the server; how many and how much never is, so that the count is
the person's own. Cash that differs is counted once: only its reason is asked then. This file must
not know what becomes of a count.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from msgspec.structs import replace

from clients.asking import Asking
from clients.counter import mistyped
from clients.counter.paper import NOTES, UNREALISED
from clients.counter.screen import Screen
from clients.counter.till_words import summed
from protocols.catalogue.shifts import (
    Cash,
    CloseShift,
    HandOver,
    ModeCount,
    Pile,
    Sheet,
    ShowShift,
)
from protocols.values import rupees

DIFFERS: Final = "CASH_DIFFERENCE"
"""The refusal that asks for a reason."""


async def counted(screen: Screen, link: Asking, body: Any) -> Any:
    """Give the body with what the person has counted."""
    modes: list[ModeCount] = []
    asked = isinstance(body, CloseShift | HandOver) and not body.modes
    if asked:
        counter = body.counter if isinstance(body, CloseShift) else ""
        sheet: Sheet = await link.ask("shifts.show", ShowShift(counter))
        modes = [one for one in sheet.modes if one.mode not in _not_asked(body)]
    body = replace(body, cash=await _cash(screen))
    if asked:
        body = replace(body, modes=[await _mode(screen, one.mode) for one in modes])
    return body


async def reasoned(screen: Screen, body: CloseShift | HandOver) -> CloseShift | HandOver | None:
    """Ask why the cash differs; None: it is counted again."""
    reason = (await screen.read("Reason of the difference [Enter = count again]: ") or "").strip()
    return replace(body, reason=reason) if reason else None


def _not_asked(body: CloseShift | HandOver) -> set[str]:
    """Cash is counted in notes; paper that is ticked need not be summed."""
    return {"CASH", *(UNREALISED if body.ticked else ())}


async def _cash(screen: Screen) -> Cash:
    """Ask for the cash, largest first."""
    counts = [await _figure(screen, f"{value:>5} x ", mistyped.number) for value in NOTES]
    piles = [Pile(*one) for one in zip(NOTES, counts, strict=True) if one[1]]
    coins = await _figure(screen, "Loose coins, Rs ", mistyped.amount)
    cash = summed(piles, coins)
    screen.talk(f"Counted: {rupees(cash.total_paise)}")
    total = await _figure(screen, "Your own total, Rs [Enter = the same] ", mistyped.amount)
    return summed(piles, coins, total) if total else cash


async def _mode(screen: Screen, mode: str) -> ModeCount:
    name = mode.replace("_", " ")
    count = await _figure(screen, f"{name}, how many: ", mistyped.number)
    return ModeCount(mode, count, await _figure(screen, f"{name}, total Rs ", mistyped.amount))


async def _figure(screen: Screen, prompt: str, read: Callable[[str], int]) -> int:
    """Ask for a figure until it is one; nothing typed is 0."""
    while True:
        said = (await screen.read(prompt) or "").strip()
        try:
            return read(said) if said else 0
        except mistyped.Mistyped as wrong:
            screen.talk(str(wrong))
