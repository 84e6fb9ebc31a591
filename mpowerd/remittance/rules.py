"""What a slip and a credit must be before anything is moved: pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from mpowerd.cash import counted
from protocols.catalogue.remittance import Cheque, MakeSlip
from protocols.refusals import Refused


def said_total(body: MakeSlip) -> int:
    """Give what the slip is said to be: counted cash, or the list's total; bank and place belong to
    cheques.
    """
    if body.kind != "CHEQUE" and (body.bank or body.place):
        raise Refused("SLIP_SORT", kind=body.kind)
    if body.kind == "CASH":
        return counted(body.cash)
    if body.cash.piles or body.cash.coins_paise or body.cash.total_paise:
        raise Refused("SLIP_CASH", kind=body.kind)
    if body.kind == "CHEQUE" and (body.place in {"", "UNSORTED"} or not body.bank):
        raise Refused("SLIP_BANK")
    return body.total_paise


def once(cheques: Sequence[Cheque]) -> None:
    """Refuse a cheque that is sorted twice at once."""
    seen = set()
    for one in cheques:
        if one.receipt in seen:
            raise Refused("CHEQUE_TWICE", receipt=one.receipt)
        seen.add(one.receipt)


def credit_date(text: str, here: dt.date) -> dt.date:
    """Read the day of a bank's credit: a real one, and not to come."""
    try:
        date = dt.date.fromisoformat(text)
    except ValueError:
        raise Refused(
            "BAD_BODY", operation="remittance.realise", reason=f"there is no day {text}"
        ) from None
    if date > here:
        raise Refused("CREDIT_AHEAD", date=date, today=here)
    return date
