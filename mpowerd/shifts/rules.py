"""When a till agrees with its shift: pure.

What was counted is compared with what was taken, mode by mode; every disagreement is refused with
both figures, and a difference of cash is booked only with its reason. This file must not know the
database.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from mpowerd.cash import counted
from protocols.catalogue.shifts import CloseShift, HandOver, Instrument, ModeCount
from protocols.refusals import Refused
from protocols.values import rupees

PAPER: Final = ("CHEQUE", "DD", "POSTAL_ORDER")
"""Modes whose instrument lies in the till until it is remitted."""


def judge_closing(
    body: CloseShift | HandOver,
    expected_paise: int,
    modes: Mapping[str, ModeCount],
    instruments: Sequence[Instrument],
) -> int:
    """Refuse a closing or handing over whose instruments or modes do not agree, or whose difference
    has no reason; gives the counted cash in paise.
    """
    total = counted(body.cash)
    said = {one.mode: one for one in body.modes}
    if len(said) != len(body.modes):
        raise Refused("MODE_TWICE")
    if body.ticked:
        _judge_ticks(body.ticked, instruments)
    for mode in sorted({*said, *modes}):
        if mode in said or mode not in {"CASH", *(PAPER if body.ticked else ())}:
            _judge_mode(mode, said.get(mode), modes.get(mode))
    if total != expected_paise and not body.reason.strip():
        word = "short" if total < expected_paise else "in excess"
        raise Refused(
            "CASH_DIFFERENCE",
            difference=f"{rupees(abs(total - expected_paise))} {word}",
            expected=rupees(expected_paise),
            counted=rupees(total),
        )
    return total


def judge_pick_up(paise: int, cash_paise: int) -> None:
    """Refuse a pick-up of nothing, or of more than the till holds."""
    if paise == 0:
        raise Refused("PICK_UP_NOTHING")
    if paise > cash_paise:
        raise Refused("PICK_UP_TOO_MUCH", paise=rupees(paise), cash=rupees(cash_paise))


def _judge_ticks(ticked: Iterable[str], instruments: Sequence[Instrument]) -> None:
    there = {one.receipt: one for one in instruments}
    seen = set(ticked)
    for receipt in sorted(seen - there.keys()):
        raise Refused("TICK_UNKNOWN", receipt=receipt)
    for receipt, one in there.items():
        if receipt not in seen:
            what = f"{one.mode} {one.instrument} of {rupees(one.paise)}"
            raise Refused("TICK_MISSING", receipt=receipt, what=what)


def _judge_mode(mode: str, said: ModeCount | None, found: ModeCount | None) -> None:
    """One mode's count and total as said against the receipts'."""
    nothing = ModeCount(mode, 0, 0)
    if (said or nothing) != (found or nothing):
        raise Refused(
            "MODE_TOTAL", mode=mode, said=_worded(said or nothing), found=_worded(found or nothing)
        )


def _worded(one: ModeCount) -> str:
    return f"{one.count} of {rupees(one.total_paise)}"
