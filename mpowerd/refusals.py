"""What the database refuses, as the refusal a person reads: by constraint name, or raised by a
function.

A function that refuses raises SQLSTATE ``MPR01`` with the code and, as JSON, its fields; there a
number is an amount in paise and is written as rupees, and ``at`` is an instant (ISO, UTC) and is
written as the clock on the wall. A constraint that stops a race has its code
in CONSTRAINTS. Everything else is a fault of ours and passes through. This file must not know any
room.
"""

from __future__ import annotations

import datetime as dt
from string import Formatter
from typing import Final

import msgspec
import psycopg

from protocols.refusals import SENTENCES, Refused
from protocols.values import rupees

RAISED: Final = "MPR01"
CONSTRAINTS: Final[dict[str, tuple[str, dict[str, str]]]] = {
    "users_name_once": ("USER_EXISTS", {"user": "of that name"}),
    "counters_code_once": ("COUNTER_EXISTS", {"counter": "of that code"}),
    "days_one_open": ("DAY_OPEN", {"date": "before it"}),
    "days_pk": ("DAY_ORDER", {"date": "given", "last": "opened"}),
    "consumers_pk": ("CONSUMER_EXISTS", {"consumer": "of one row"}),
    "scrolls_once": ("SCROLL_KNOWN", {"scroll": "given"}),
    "scroll_lines_reference_once": (
        "REFERENCE_KNOWN",
        {"reference": "of one line", "scroll": "another scroll"},
    ),
    "receipt_events_once": ("RECEIPT_SETTLED", {"receipt": "given"}),
    "receipt_events_one_next": ("RECEIPT_SETTLED", {"receipt": "given"}),
    "charges_once": ("CHARGE_KNOWN", {"reference": "This reference", "amount": "another amount"}),
    "approvals_asked_once": (
        "ASKED_ALREADY",
        {"request": "just asked for", "maker": "somebody", "state": "pending"},
    ),
    "transfers_receipt_once": ("RECEIPT_MOVED", {"receipt": "given"}),
    "payouts_once": ("REFUND_PAID", {"refund": "given"}),
}
"""Constraint → code and the words that stand where the row in the way cannot be named (it lost a
race).
"""


def refused(code: str, fields: str | None) -> Refused:
    """Make the refusal from its stored form: JSON fields, in which integers are paise.

    A sentence that was rewritten since may name a field that was not stored then: an ellipsis
    stands there. A key's outcome must be told for ever.
    """
    found: dict[str, str | int] = msgspec.json.decode(fields or "{}")
    said = {name: rupees(v) if isinstance(v, int) else v for name, v in found.items()}
    if "at" in said:
        said["at"] = f"{dt.datetime.fromisoformat(said['at']).astimezone():%H:%M %Z}"
    wanted = [name for _, name, _, _ in Formatter().parse(SENTENCES[code].text) if name]
    return Refused(code, **dict.fromkeys(wanted, "…") | said)


def fields_text(refusal: Refused) -> str:
    """Write a refusal's fields in their stored form."""
    return msgspec.json.encode(refusal.fields).decode()


def refusal_of(error: psycopg.Error) -> Refused | None:
    """Give the refusal that a database error stands for, or None if it is a fault."""
    if error.sqlstate == RAISED:
        return refused(error.diag.message_primary or "", error.diag.message_detail)
    known = CONSTRAINTS.get(error.diag.constraint_name or "")
    return Refused(known[0], **known[1]) if known else None
