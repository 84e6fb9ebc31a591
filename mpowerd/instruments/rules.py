"""What the return of an instrument costs and says: pure.

The receipt counts as never paid: what it had settled is owed again as of the day it was taken, the
surcharge that would have run since revives, the board's charge comes on top. Amounts are integer
paise; this file must not know the database nor the clock.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from mpowerd.receipts import must_stand
from protocols.refusals import Refused
from protocols.values import rupees

PAPER: Final = frozenset({"CHEQUE", "DD", "POSTAL_ORDER"})
PRINCIPAL: Final = ("ARREARS", "CURRENT", "FIXED")
"""Surcharge runs on these; never on surcharge, nor on what is the State's."""
MONTH_DAYS: Final = 30
"""Surcharge is by days of a month of thirty."""


class Facts(Struct, frozen=True):
    """A receipt as the database knows it. ``consumer``: who has its money now, which may be another
    than who paid it; ``heads``: where it stands, paise; ``state``: what became of it last.
    """

    receipt: str
    consumer: str
    name: str
    address: str
    mode: str
    instrument: str
    amount_paise: int
    day: dt.date
    state: str
    today: dt.date
    heads: Mapping[str, int]
    charge_paise: int
    bar_days: int
    surcharge_bp: int


def check(facts: Facts, returned_on: dt.date) -> None:
    """Refuse what cannot come back, by name."""
    if facts.mode not in PAPER:
        raise Refused("NO_INSTRUMENT", receipt=facts.receipt, mode=facts.mode)
    must_stand(facts.receipt, facts.state)
    if not facts.day <= returned_on <= facts.today:
        raise Refused(
            "RETURN_DATE",
            receipt=facts.receipt,
            date=returned_on,
            first=facts.day,
            last=facts.today,
        )


def surcharge(heads: Mapping[str, int], days: int, rate_bp: int) -> int:
    """Give the surcharge on what is principal for so many days, in paise, half a paisa upwards.

    ``rate_bp``: hundredths of a percent a month.
    """
    principal = sum(heads.get(head, 0) for head in PRINCIPAL)
    whole = 10_000 * MONTH_DAYS
    return (2 * principal * rate_bp * days + whole) // (2 * whole)


def barred_until(facts: Facts) -> dt.date | None:
    """Give the last day on which no cheque is taken; None: another mode came back, or no bar."""
    if facts.mode != "CHEQUE" or not facts.bar_days:
        return None
    return facts.today + dt.timedelta(days=facts.bar_days)


def notice(facts: Facts, returned_on: dt.date, why: str, surcharge_paise: int) -> list[str]:
    """Write the notice to the consumer, line by line."""
    again = facts.amount_paise + facts.charge_paise + surcharge_paise
    until = barred_until(facts)
    paid = f"{facts.mode} {facts.instrument} of {rupees(facts.amount_paise)}"
    owed = f"{rupees(facts.charge_paise)} for the return and {rupees(surcharge_paise)} surcharge"
    lines = [
        f"To {facts.name}, {facts.address}. Consumer {facts.consumer}.",
        f"Your {paid}, received on {facts.day}, was returned unpaid on {returned_on}: {why}.",
        f"Receipt {facts.receipt} is void. It is owed again as of {facts.day}, with {owed}:",
        f"{rupees(again)} in all. Pay it in cash, by demand draft, card or UPI; otherwise the",
        "supply may be disconnected after notice (Electricity Act, 2003, section 56).",
    ]
    if until is not None:
        lines.append(f"Until {until} no cheque of yours is taken.")
    return lines
