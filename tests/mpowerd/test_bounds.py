"""No answer can break a connection: how long each can become, from what its fields and lists hold.

A text counts four bytes a letter. Every list of every answer says here what bounds it, a number of
rows or the bytes into which ``mpowerd.paging`` fits them; one that does not is a failure. What a
key is to store always fits a frame; of the looks only those named in NARROWED can come to more, and
the door refuses them with TOO_LONG.
"""

from collections.abc import Iterable
from typing import Any, Final

import pytest
from msgspec import Struct, inspect

from mpowerd.approvals import rules
from mpowerd.approvals.operations import ACTS_BYTES, SAID
from mpowerd.audit import reading
from mpowerd.days.store import SHIFTS_MAX
from mpowerd.paging import PAGE_BYTES
from mpowerd.payments.whole_days import LEFT, REASON_CHARACTERS
from mpowerd.remittance.store import LINES_MAX, PARTS_BYTES
from mpowerd.security.emergencies import DECIDED_BYTES
from mpowerd.shifts.store import LISTED_BYTES, PICK_UPS_BYTES
from protocols.accounts import CHART
from protocols.catalogue import CATALOGUE
from protocols.catalogue.certificates import PAGE, PEM_CHARACTERS
from protocols.heads import HEADS
from protocols.messages import MAX_BODY_BYTES
from protocols.operation import Operation

WORD: Final = 40
"""A code, a date, a time, a number, a login."""
TEXTS: Final = {
    **dict.fromkeys(("reason", "remark", "reference", "review", "why", "address"), 800),
    **dict.fromkeys(("before", "after", "object", "about", "words", "what", "rule"), 800),
    **dict.fromkeys(("name", "maker_name", "fields", "subject", "paid", "which"), 320),
    **dict.fromkeys(("expected", "found"), 200),
    **dict.fromkeys(("instrument", "key", "prints", "public_key", "said", "at"), 120),
    "certificate": PEM_CHARACTERS,
    "Left.why": 4 * REASON_CHARACTERS,
    "LineOutcome.reference": 35,
    "LineOutcome.outcome": 8,
    "LineOutcome.receipt": 30,
    "SlipLine.receipt": 30,
    "SlipLine.instrument": 24 + 10 + 2 * 16 + 3,
    "SlipLine.state": 12,
    "sentence": 4 * SAID,
    "details": 8_000,
}
BY_ROWS: Final = {
    "DuesAnswer.heads": len(HEADS),
    "Verified.heads": len(HEADS),
    "Verification.heads": len(HEADS),
    "Matched.heads": len(HEADS) + 1,
    "CashBook.heads": len(HEADS),
    "CashBook.modes": 7,
    "CashBook.shifts": SHIFTS_MAX,
    "Line.heads": len(HEADS),
    "Trial.groups": len(CHART),
    "Sheet.modes": 7,
    "Cash.piles": 20,
    "Slip.lines": LINES_MAX,
    "Posted.lines": 500,
    "Entered.leaves": 400,
    "Slips.slips": 200,
    "ApprovedMany.decided": 50,
    "Dishonoured.notice": 6,
    "ReturnedOne.notice": 6,
    "Emergency.given_by": 2,
    "Verification.left": LEFT,
    "WaitingRows.rows": PAGE,
    "LeavesPage.leaves": reading.ALL_LEAVES,
    "Climbed.peaks": 63,
    "Exported.peaks": 63,
    "Exported.spans": 40,
    "Signers.prints": 200,
}
"""Lists that hold so many rows by themselves."""
BY_BYTES: Final = {
    **dict.fromkeys(("MasterRows.rows", "MasterVersions.versions"), PAGE_BYTES),
    **dict.fromkeys(("PowersHeld.powers", "Sessions.sessions"), PAGE_BYTES),
    **dict.fromkeys(("OwnedAccounts.accounts", "EmergenciesFound.emergencies"), PAGE_BYTES),
    **dict.fromkeys(("Requests.requests", "Entries.entries", "Statement.lines"), PAGE_BYTES),
    **dict.fromkeys(("AccountData.changes", "ContactHistory.contacts"), PAGE_BYTES),
    **dict.fromkeys(("Receipts.receipts", "ReturnedAll.instruments"), PAGE_BYTES),
    **dict.fromkeys(("Refunds.lines", "Closed.waiting"), PAGE_BYTES),
    **dict.fromkeys(("Found.consumers", "Subledger.lines"), PAGE_BYTES),
    **dict.fromkeys(("Suspense.lines", "Checked.wrong"), PAGE_BYTES),
    "Emergency.decisions": DECIDED_BYTES,
    "RowsPage.rows": reading.PAGE_BYTES + 200 * 120,
    "Shown.changes": rules.READ_BYTES,
    "Shown.acts": ACTS_BYTES,
    "Sheet.instruments": LISTED_BYTES,
    "Sheet.pick_ups": PICK_UPS_BYTES,
    "Slip.parts": PARTS_BYTES,
}
"""Lists that are cut where so many bytes are full."""
FREE: Final = {"CashBook.counters", "CashBook.waiting", "Pending.groups"}
"""Lists that nothing bounds: their looks are in NARROWED."""
NARROWED: Final = {"days.cash_book", "remittance.pending"}
"""A cash book names every counter of an office and below it (some five hundred fit), and what is
pending every bank and city: who asks for more is told to ask for less.
"""
ENDLESS: Final = 10**9


def worst(kind: Any, name: str, where: str) -> int:
    """Bytes that a field of an answer can take."""
    match kind:
        case inspect.StrType():
            return 3 + TEXTS.get(f"{where}.{name}", TEXTS.get(name, WORD))
        case inspect.BytesType():
            return 5 + {"content": 32, "body": 0, "evidence": 0}.get(name, 64)
        case inspect.ListType(item_type=item):
            return 5 + listed(item, name, where)
        case inspect.DictType():
            return 5 + 20 * (WORD + TEXTS["name"])
        case inspect.UnionType(types=types):
            return max(worst(one, name, where) for one in types)
        case inspect.StructType(cls=struct):
            return struct_worst(struct)
        case _:
            return 9


def listed(item: Any, name: str, where: str) -> int:
    """Bytes of a list's rows; of one that is cut by bytes one row more could be all there is."""
    place = f"{where}.{name}"
    bounds = [one for one in (BY_ROWS, BY_BYTES) if place in one]
    assert len(bounds) + (place in FREE) == 1, f"what bounds the list {place}?"
    row = worst(item, name, where)
    if place in BY_BYTES:
        return max(BY_BYTES[place], row)
    return BY_ROWS[place] * row if bounds else ENDLESS


def struct_worst(struct: type[Struct]) -> int:
    """Bytes of a whole body."""
    told = inspect.type_info(struct)
    assert isinstance(told, inspect.StructType)
    return 5 + sum(worst(one.type, one.name, struct.__name__) for one in told.fields)


def ids(operations: Iterable[Operation]) -> list[Any]:
    return [pytest.param(one, id=one.name) for one in operations]


@pytest.mark.parametrize("operation", ids(one for one in CATALOGUE if one.keyed))
def test_what_a_key_stores_always_fits_a_frame(operation: Operation) -> None:
    """It is repeated for ever: one answer too long would break the connection every time."""
    assert struct_worst(operation.reply) <= MAX_BODY_BYTES


@pytest.mark.parametrize("operation", ids(one for one in CATALOGUE if not one.keyed))
def test_a_look_fits_a_frame_or_is_told_to_ask_for_less(operation: Operation) -> None:
    fits = struct_worst(operation.reply) <= MAX_BODY_BYTES
    assert fits != (operation.name in NARROWED)
