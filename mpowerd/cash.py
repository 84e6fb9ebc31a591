"""Cash as people count it: by denomination, with the total as they added it up. Pure.

Notes are whole rupees; coins that were not sorted are one sum. Nothing is rounded, nothing is
guessed: what does not add up is refused with both figures. This file must not know where the cash
lies.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

import msgspec

from protocols.catalogue.shifts import Cash
from protocols.refusals import Refused
from protocols.values import rupees

NOTES: Final = (500, 200, 100, 50, 20, 10, 5, 2, 1)
"""Notes and coins that are counted by their value; Rs 2,000 was withdrawn and is not taken."""


def counted(cash: Cash) -> int:
    """Give the total of counted cash, paise; refuse what is no note or does not add up."""
    for value, times in Counter(pile.value for pile in cash.piles).items():
        if value not in NOTES:
            raise Refused("NO_NOTE", value=value)
        if times > 1:
            raise Refused("NOTE_TWICE", value=value)
    total = sum(pile.value * 100 * pile.count for pile in cash.piles) + cash.coins_paise
    if total != cash.total_paise:
        raise Refused("CASH_TOTAL", said=rupees(cash.total_paise), found=rupees(total))
    return total


def written(cash: Cash) -> str:
    """Write counted cash as it is kept, the largest note first; piles of nothing are left out."""
    piles = sorted((one for one in cash.piles if one.count), key=lambda one: -one.value)
    return msgspec.json.encode(msgspec.structs.replace(cash, piles=piles)).decode()


def read(kept: str) -> Cash:
    """Read counted cash as it was kept; '' is none."""
    return msgspec.json.decode(kept, type=Cash) if kept else Cash()
