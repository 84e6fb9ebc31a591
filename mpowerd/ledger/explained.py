"""A voucher in words: what it is about, and by which rule it touched the heads it touched. Pure.

Every figure of a statement is explained: which receipt, which note or order, whose money it was,
in which order it was spread. This file must not know the database.
"""

from __future__ import annotations

from mpowerd.allocation import SPLIT
from mpowerd.ledger.store import Moved
from mpowerd.outcomes import instant
from protocols.accounts import VOUCHERS, group_of
from protocols.catalogue.ledger import HeadMoved, Line
from protocols.heads import OWN_HEAD

SPREAD = frozenset({"VERIFY", "MATCH", "MOVE"})
"""Kinds of voucher that spread money over the heads."""


def told(row: Moved) -> Line:
    """Write a voucher as a line of the statement."""
    assert row.voucher is not None
    heads = [
        HeadMoved(group_of("CONSUMER", slot).code, paise)
        for slot, paise in zip(row.slots, row.paise, strict=True)
    ]
    return Line(
        str(row.day),
        instant(row.at),
        row.voucher,
        row.number,
        row.kind,
        VOUCHERS.get(row.kind, row.kind.replace("_", " ").capitalize()),
        " ".join(word for word in (row.mode, row.instrument) if word),
        _about(row),
        row.by,
        row.reason,
        heads,
        row.moved,
        row.balance,
        _rule(row),
    )


def _about(row: Moved) -> str:
    side = "to" if row.moved > 0 else "from"
    note = "" if row.reference == row.about else row.reference
    parts = [row.about, note, f"{side} consumer {row.other}" if row.other else ""]
    return ", ".join(part for part in parts if part)


def _rule(row: Moved) -> str:
    """Say why these heads: '' where the voucher itself names them."""
    match row.kind:
        case "RECEIPT":
            return f"for {row.purposes}"
        case "OPENING":
            return "as they stood when the consumer was brought in"
        case "CHARGE":
            return "under its own head; an instalment plan moves arrears"
        case "WITHDRAWAL":
            return "as if it had never been charged"
        case "DISHONOUR":
            return "what the receipt had paid is owed again"
        case "RE_DEBIT":
            return "the board's charge, and the surcharge that would have run"
        case "REFUND":
            return _refunded(row)
    if row.kind not in SPREAD or row.reason == SPLIT or _leaves(row):
        return ""
    own = [f"{one} pays {OWN_HEAD[one]}" for one in row.purposes.split() if one in OWN_HEAD]
    dues = not row.purposes or any(one not in OWN_HEAD for one in row.purposes.split())
    order = row.allocation.replace(",", ", ")
    return "; ".join(own + [f"in the board's order {order}; the rest is an advance"] * dues)


def _refunded(row: Moved) -> str:
    paid = f"paid out on {row.paid_on} by V-{row.payout}" if row.payout else "not paid out yet"
    return f"out of the advance; {paid}"


def _leaves(row: Moved) -> bool:
    return row.kind == "MOVE" and row.moved > 0
