"""What a till prints: the sheet of a shift, bank slips, the cash book. Plain text, 80 columns.

Each is a pure function of the answer and the zone; a later print of a slip says DUPLICATE and is
otherwise the same. This file must not know who prints.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any, Final

from clients.counter.paper import COLUMNS, local_time
from protocols.catalogue.days import CashBook, Closed, Waiting
from protocols.catalogue.receipt_books import Book, Entered
from protocols.catalogue.remittance import Pending, Slip, Slips, Sorted
from protocols.catalogue.shifts import Cash, Offered, PickUp, Sheet
from protocols.values import rupees

RULE: Final = "-" * COLUMNS
SIGN: Final = "Clerk: ____________________          Officer: ____________________"


def text_of(reply: Any, *, again: bool = False, zone: dt.tzinfo | None = None) -> str:
    """Write an answer about a till, a slip or the book as it is printed."""
    match reply:
        case Sheet():
            return sheet_text(reply, zone)
        case Slip():
            return slip_text(reply, again=again, zone=zone)
    return WRITERS[type(reply)](reply)


def _head(title: str, rows: Sequence[tuple[str, str, str, str]]) -> list[str]:
    body = [f"{a + ':':<12}{b:<36}{c + ':':<11}{d}"[:COLUMNS].rstrip() for a, b, c, d in rows]
    return [RULE, title.center(COLUMNS).rstrip(), RULE, *body]


def _line(words: str, paise: int) -> str:
    return f"  {words[:54]:<56}{rupees(paise):>20}"


def cash_lines(cash: Cash) -> list[str]:
    """Write counted cash, a denomination a line."""
    lines = [
        _line(f"{pile.value:>6} x {pile.count:>6,}", pile.value * 100 * pile.count)
        for pile in cash.piles
    ]
    if cash.coins_paise:
        lines.append(_line(" coins", cash.coins_paise))
    return [*lines, _line("Total counted", cash.total_paise)]


def sheet_text(sheet: Sheet, zone: dt.tzinfo | None = None) -> str:
    """Write a shift: as it stands, or its closing sheet."""
    closed = sheet.state == "CLOSED"
    lines = _head(
        "CLOSING SHEET" if closed else "OPEN SHIFT",
        [
            ("Counter", f"{sheet.counter}, {sheet.office}", "Date", sheet.business_date),
            ("Clerk", sheet.clerk, "Shift", str(sheet.shift)),
            ("Opened", local_time(sheet.opened_at, zone), "Receipts", str(sheet.receipts)),
            ("From", sheet.first_receipt, "Cancelled", str(sheet.cancelled)),
            ("To", sheet.last_receipt, "Closed", sheet.closed_by),
        ],
    )
    lines += [
        "Cash",
        _line("Float", sheet.float_cash.total_paise),
        _line("Carried over from the shift before", sheet.carried_paise),
        _line("Taken", sheet.taken_paise),
        *(_pick_up_line(one) for one in sheet.pick_ups),
        _line("The till should hold", sheet.expected_paise),
    ]
    if not closed:
        limit = "none" if sheet.limit_paise < 0 else rupees(sheet.limit_paise)
        lines.append(f"  Cash limit: {limit}")
    lines += ["By mode", *(_line(f"{m.mode:<14}{m.count:>6,}", m.total_paise) for m in sheet.modes)]
    if sheet.returned:
        lines.append(f"  Returned unpaid and given back: {sheet.returned:,}")
    if sheet.instruments:
        lines.append("Instruments")
        for one in sheet.instruments:
            lines.append(_line(f"[ ] {one.receipt:<22}{one.mode}", one.paise))
            lines.append(f"      {one.instrument}")
    return "\n".join([*lines, *(_closing(sheet) if closed else []), RULE])


def _closing(sheet: Sheet) -> list[str]:
    word = "Short" if sheet.difference_paise < 0 else "In excess"
    gone = f"Handed over to {sheet.handed_to}" if sheet.handed_to else "To the strong room"
    carried = sheet.counted.total_paise if sheet.handed_to else sheet.handed_paise
    return [
        "Counted",
        *cash_lines(sheet.counted),
        _line(word, abs(sheet.difference_paise)) if sheet.difference_paise else "  No difference.",
        *([f"  Reason: {sheet.reason}"] if sheet.reason else []),
        _line(gone, carried),
        "",
        SIGN,
    ]


def _pick_up_line(one: PickUp) -> str:
    by = f"witnessed by {one.witness}" if one.witness else "WAITS for a witness"
    return _line(f"Pick-up {one.pick_up}, {by}", -one.paise if one.witness else one.paise)


def pick_up_text(one: PickUp) -> str:
    """Say how a pick-up stands, and what is next."""
    if one.witness:
        return f"Pick-up {one.pick_up} of {rupees(one.paise)} is witnessed by {one.witness}."
    return (
        f"Pick-up {one.pick_up} of {rupees(one.paise)} waits for a witness.\n"
        f"An officer counts it and types: shift witness {one.pick_up} {rupees(one.paise)[3:]}"
        f" {one.counter}"
    )


def slip_text(slip: Slip, *, again: bool, zone: dt.tzinfo | None = None) -> str:
    """Write a slip for the bank."""
    title = f"BANK SLIP - {slip.kind}" + ("   *** DUPLICATE ***" if again else "")
    lines = _head(
        title,
        [
            ("Slip", slip.slip, "Date", slip.business_date),
            ("Office", slip.office, "Made", local_time(slip.made_at, zone)),
            ("Drawn on", f"{slip.bank} {slip.place}".strip() or "-", "By", slip.made_by),
        ],
    )
    if slip.kind == "CASH":
        lines += cash_lines(slip.cash)
    for number, one in enumerate(slip.lines, 1):
        state = "" if one.state == "REMITTED" else f" {one.state}"
        lines.append(_line(f"{number:>4} {one.receipt:<22}{one.instrument}{state}", one.paise))
    lines += ["By counter", *(_line(part.counter, part.paise) for part in slip.parts)]
    lines.append(_line("TOTAL", slip.total_paise))
    if slip.realised_paise:
        lines += [_line("Credited", slip.realised_paise), _line("Still open", slip.open_paise)]
    return "\n".join([*lines, "", SIGN, RULE])


def entered_text(entered: Entered) -> str:
    """Say what became of each leaf, and which comes next."""
    words = {"BEFORE": "was entered before as", "SUSPENSE": "is in suspense as", "SPOILT": "spoilt"}
    lines = [
        f"Leaf {one.leaf} {words.get(one.outcome, 'is entered as')} {one.receipt}".rstrip()
        for one in entered.leaves
    ]
    return "\n".join([*lines, f"{entered.book} goes on with leaf {entered.next_leaf}."])


def receipt_book_text(book: Book) -> str:
    """Say how a receipt book stands."""
    return (
        f"Receipt book {book.book} of {book.counter}, leaves {book.first} to {book.last}: "
        f"{book.state}.\n{book.entered} entered ({book.suspense} in suspense), "
        f"{book.spoilt} spoilt, {rupees(book.total_paise)}.\nNext leaf: {book.next_leaf}."
    )


def offered_text(offered: Offered) -> str:
    """Say that a till waits for the clerk who takes it over."""
    counted = f"{offered.counter}: {rupees(offered.counted_paise)} counted"
    return f"{counted}, offered to {offered.to}.\nThey sign in here and type 'shift takeover'."


def pending_text(pending: Pending) -> str:
    """Write what an office has for the bank, a slip a line."""
    if not pending.groups:
        return f"{pending.office} has nothing for the bank."
    lines = [f"{'KIND':<14}{'BANK':<12}{'PLACE':<12}{'RECEIPTS':>9}{'AMOUNT':>20}  "]
    for one in pending.groups:
        note = f"  {one.unverified} to verify" if one.unverified else ""
        row = f"{one.kind:<14}{one.bank:<12}{one.place:<12}{one.receipts:>9,}"
        lines.append(f"{row}{rupees(one.paise):>20}{note}")
    return "\n".join(line.rstrip() for line in lines)


def slips_text(slips: Slips) -> str:
    """Write slips, one a line."""
    if not slips.slips:
        return "No slips."
    lines = [f"{'SLIP':<22}{'DATE':<12}{'KIND':<8}{'TOTAL':>19}{'OPEN':>19}"]
    lines += [
        f"{one.slip:<22}{one.business_date:<12}{one.kind[:7]:<8}"
        f"{rupees(one.total_paise):>19}{rupees(one.open_paise):>19}"
        for one in slips.slips
    ]
    return "\n".join(lines)


def waiting_lines(waiting: Sequence[Waiting]) -> list[str]:
    """Write what awaited verification when a day ended."""
    if not waiting:
        return ["All that was taken on this date was verified on it"]
    lines = [_line(f"{one.counter}, {one.receipts:,} receipts", one.paise) for one in waiting]
    return ["Taken on this date and not verified on it", *lines]


def closed_text(day: Closed) -> str:
    """Say that a business day is closed, and what of it is to be verified yet."""
    said = f"Business day {day.date} ({day.financial_year}): {day.state}."
    if not day.waiting:
        return f"{said} All that was taken on it is verified."
    count, paise = sum(one.receipts for one in day.waiting), sum(one.paise for one in day.waiting)
    lines = [f"{one.counter}: {one.receipts:,}, {rupees(one.paise)}" for one in day.waiting]
    return "\n".join(
        [
            said,
            f"NOT verified: {count:,} receipts of it, {rupees(paise)}",
            *(f"  {line}" for line in lines),
            "Open the next day, then verify them: 'verify COUNTER DATE', or all of them with",
            f"'mpower receipts verify --date {day.date}'. Until then none is remitted.",
        ]
    )


def book_text(book: CashBook) -> str:
    """Write the cash book of a day."""
    where = f"{book.office} {book.counter}".strip()
    lines = _head("CASH BOOK", [("Of", where, "Date", f"{book.date} {book.state}")])
    for title, rows in (("By mode", book.modes), ("By counter", book.counters)):
        for one in rows:
            lines += [f"{title}: {one.name}, {one.receipts:,} receipts"]
            figures = (
                ("Opening", one.opening),
                ("Received", one.received),
                ("Cancelled", -one.cancelled),
                ("Returned unpaid, before it went to the bank", -one.returned),
                ("Short (-) or in excess", one.difference),
                ("To the bank", -one.remitted),
                ("Otherwise", one.other),
                ("CLOSING", one.closing),
            )
            always = {"Opening", "CLOSING"}
            lines += [_line(word, paise) for word, paise in figures if paise or word in always]
    lines.append("Posted to the heads")
    for head in book.heads:
        lines += [_line(head.head, head.posted)] if head.posted else []
        lines += [_line(f"{head.head}, returned unpaid", -head.returned)] if head.returned else []
    posted = sum(head.posted - head.returned for head in book.heads)
    lines += [_line("POSTED", posted), *waiting_lines(book.waiting), "Shifts"]
    for shift in book.shifts:
        words = f"{shift.counter} {shift.shift} {shift.clerk} {shift.state}"
        picked = f"picked up {rupees(shift.picked_paise)}"
        lines.append(_line(f"{words}, {picked}, handed in", shift.handed_paise))
    return "\n".join([*lines, RULE])


WRITERS: Final[dict[type, Callable[[Any], str]]] = {
    PickUp: pick_up_text,
    Offered: offered_text,
    CashBook: book_text,
    Closed: closed_text,
    Pending: pending_text,
    Slips: slips_text,
    Sorted: lambda done: f"{done.count} sorted.",
    Entered: entered_text,
    Book: receipt_book_text,
}
