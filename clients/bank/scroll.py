"""A bank's collection scroll, read and split for posting; pure.

    H,<bank>,<scroll>,<value date>            one header, first
    D,<reference>,<consumer>,<amount>,<date>  one line a payment; its reference is unique for ever
    T,<count>,<total>                         one trailer: how many D lines, their sum

Amounts in rupees with at most two decimals, dates as 2026-04-01. One flaw and nothing of the file
is posted: a count or total that is not the lines', a repeated reference, a missing trailer. This
file must not know the link.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec
from msgspec import Struct

from clients.columns import AMOUNT_REASON, FileRefused, Flaw, lines_of, paise_of, whole
from protocols.catalogue.banking import Line, Post

PART_LINES: Final = 500
"""Lines of one request; 500 of the longest lines stay below the frame's limit."""
MAX_LINES: Final = 500 * 10_000
BANK: Final = re.compile(r"^[A-Z][A-Z0-9]{1,11}\Z")
WIDTHS: Final = {"H": 4, "D": 5, "T": 3}
REASONS: Final = {
    "reference": "is not a reference (letters, digits and / _ . -, 1 to 35 characters)",
    "consumer": "is not a consumer (letters, digits and -, 1 to 20 characters)",
}
LINE_TYPES: Final = {field.name: field.type for field in msgspec.structs.fields(Line)}
SCROLL_TYPE: Final = {field.name: field.type for field in msgspec.structs.fields(Post)}["scroll"]


class Scroll(Struct, frozen=True):
    """A scroll that is right in itself: the bank's code, the scroll's name, value date, lines in
    the file's order.
    """

    bank: str
    name: str
    value_date: str
    lines: list[Line]

    @property
    def total_paise(self) -> int:
        """The sum of the lines, paise."""
        return sum(line.amount_paise for line in self.lines)


def parse_scroll(data: bytes) -> Scroll:
    """Read a scroll file's bytes; FileRefused names every flaw by line and column."""
    records = list(lines_of(data))
    flaws = list(_shape(records))
    if flaws:
        raise FileRefused(flaws)
    (head_line, header), *details, (tail_line, trailer) = records
    flaws += _header(head_line, header)
    seen: dict[str, int] = {}
    for line, fields in details:
        flaws += _detail(line, fields, seen)
    flaws += _trailer(tail_line, trailer, [fields for _, fields in details])
    if flaws:
        raise FileRefused(flaws)
    lines = [Line(f[1], f[2], paise_of(f[3]) or 0, f[4]) for _, f in details]
    return Scroll(header[1], header[2], header[3], lines)


def parts(scroll: Scroll) -> list[Post]:
    """Cut a scroll into requests of at most PART_LINES lines, each with its own control count and
    total.
    """
    cut = [scroll.lines[n : n + PART_LINES] for n in range(0, len(scroll.lines), PART_LINES)]
    return [
        Post(scroll.name, number, len(lines), sum(one.amount_paise for one in lines), lines)
        for number, lines in enumerate(cut, 1)
    ]


def _shape(records: list[tuple[int, list[str]]]) -> Iterator[Flaw]:
    if not records or records[0][1][0] != "H":
        yield Flaw(records[0][0] if records else 0, "", "the file must begin with a header line H")
        return
    last = len(records) - 1
    if records[last][1][0] != "T":
        yield Flaw(records[last][0], "", "the trailer line T is missing: the file is truncated")
    elif last < 2:
        yield Flaw(0, "", "there are no payments in the file")
    if len(records) > MAX_LINES + 2:
        yield Flaw(0, "", f"there are more than {MAX_LINES} lines; split the scroll")
    for n, (line, fields) in enumerate(records):
        kind = fields[0]
        if kind not in WIDTHS:
            yield Flaw(line, "", f"begins with '{kind}' instead of H, D or T")
        elif len(fields) != WIDTHS[kind]:
            yield Flaw(line, "", f"has {len(fields)} columns instead of {WIDTHS[kind]}")
        elif (kind == "H" and n > 0) or (kind == "T" and n < last):
            yield Flaw(line, "", f"is a second {kind} line; one file holds one scroll")


def _header(line: int, fields: list[str]) -> Iterator[Flaw]:
    _, bank, scroll, date = fields
    if not BANK.match(bank):
        yield Flaw(line, "bank", f"'{bank}' is not a bank's code (as SBI)")
    if not _fits(scroll, SCROLL_TYPE):
        yield Flaw(
            line,
            "scroll",
            f"'{scroll}' is not a scroll's name (letters, digits and / _ . -, 1 to 40 characters)",
        )
    if not _is_date(date):
        yield Flaw(line, "value date", f"'{date}' is not a date (as 2026-04-01)")


def _detail(line: int, fields: list[str], seen: dict[str, int]) -> Iterator[Flaw]:
    _, reference, consumer, amount, date = fields
    for name, text in {"reference": reference, "consumer": consumer}.items():
        if not _fits(text, LINE_TYPES[name]):
            yield Flaw(line, name, f"'{text}' {REASONS[name]}")
    paise = paise_of(amount)
    if paise is None:
        yield Flaw(line, "amount", f"'{amount}' {AMOUNT_REASON}")
    elif paise == 0:
        yield Flaw(line, "amount", "is zero; a payment has an amount")
    if not _is_date(date):
        yield Flaw(line, "date", f"'{date}' is not a date (as 2026-04-01)")
    first = seen.setdefault(reference, line)
    if first != line:
        yield Flaw(line, "reference", f"'{reference}' stands already on line {first}")


def _trailer(line: int, fields: list[str], details: list[list[str]]) -> Iterator[Flaw]:
    count, total = whole(fields[1], 0), paise_of(fields[2])
    amounts = [paise_of(one[3]) for one in details]
    if count is None:
        yield Flaw(line, "count", f"'{fields[1]}' is not a count (ASCII digits)")
    elif count != len(details):
        yield Flaw(line, "count", f"says {count}, there are {len(details)} payment lines")
    if total is None:
        yield Flaw(line, "total", f"'{fields[2]}' {AMOUNT_REASON}")
    elif None not in amounts:
        found = sum(one or 0 for one in amounts)
        if found != total:
            text = f"{found // 100}.{found % 100:02d}"
            yield Flaw(line, "total", f"says {fields[2]}, the lines sum to {text}")


def _is_date(text: str) -> bool:
    if not re.match(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}\Z", text):
        return False
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _fits(value: Any, wanted: Any) -> bool:
    try:
        msgspec.convert(value, wanted)
    except msgspec.ValidationError:
        return False
    return True
