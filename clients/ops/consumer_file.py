"""A board's file of consumers with what they owe, read into rows and batches; pure.

Columns: number,name,address,category,meter,mobile,load_kw,lpsc,arrears,current,fixed,duty, with a
heading line and optionally, in this order, a column office (its code; without it the head office)
and a last column total, which must be the sum of the five heads. Amounts in rupees with at most two
decimals, the load in kW with at most three. One flaw and nothing of the file is loaded. This file
must not know the link.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from clients.columns import AMOUNT_REASON, FileRefused, Flaw, lines_of, paise_of, whole
from protocols.catalogue.consumers import Row
from protocols.heads import Head
from protocols.messages import MAX_FRAME_BYTES

HEADS: Final[dict[str, Head]] = {
    "lpsc": "LPSC",
    "arrears": "ARREARS",
    "current": "CURRENT",
    "fixed": "FIXED",
    "duty": "DUTY",
}
TEXTS: Final[tuple[str, ...]] = ("number", "name", "address", "category", "meter", "mobile")
COLUMNS: Final = (*TEXTS, "load_kw", *HEADS)
HEADINGS: Final = tuple(
    [*COLUMNS, *more] for more in ((), ("office",), ("total",), ("office", "total"))
)
HEAD_OFFICE: Final = "HO"
"""The office of consumers whose file names none."""
BATCH_ROWS: Final = 500
BATCH_BYTES: Final = MAX_FRAME_BYTES - 2048
"""Rows of one request: the frame's limit less the envelope, generously."""
REASONS: Final = {
    "number": "is not a consumer number (ten ASCII digits)",
    "name": "is not a name (1 to 80 characters, no control characters)",
    "address": "is not an address (at most 200 characters, no control characters)",
    "category": "is not a category (A-Z, 0-9 and -, 1 to 12 characters)",
    "meter": "is not a meter number (A-Z, 0-9 and -, at most 20 characters)",
    "mobile": "is not a mobile number (at most 15 ASCII digits)",
    "office": "is not an office's code (as SD-101)",
    "load_kw": "is not a load in kW (as 2 or 7.5, at most 100000)",
}
TYPES: Final = {field.name: field.type for field in msgspec.structs.fields(Row)}


def parse_consumers(data: bytes) -> list[Row]:
    """Read a consumer file's bytes into rows; FileRefused names every flaw by line and column."""
    lines = lines_of(data)
    line, heading = next(lines, (0, []))
    if heading not in HEADINGS:
        wanted = f"the heading must be {','.join(COLUMNS)}[,office][,total]"
        raise FileRefused([Flaw(line, "", wanted)])
    rows: list[Row] = []
    flaws: list[Flaw] = []
    seen: dict[str, int] = {}
    for line, fields in lines:
        found = list(_flaws(line, fields, heading, seen))
        flaws += found
        if not found:
            rows.append(_row(dict(zip(heading, fields, strict=True))))
    if not rows and not flaws:
        flaws.append(Flaw(0, "", "there are no consumers in the file"))
    if flaws:
        raise FileRefused(flaws)
    return rows


def _flaws(
    line: int, fields: list[str], heading: list[str], seen: dict[str, int]
) -> Iterator[Flaw]:
    if len(fields) != len(heading):
        yield Flaw(line, "", f"has {len(fields)} columns instead of {len(heading)}")
        return
    said = dict(zip(heading, fields, strict=True))
    for name in (one for one in (*TEXTS, "office") if one in said):
        if not _fits(said[name], TYPES[name]):
            yield Flaw(line, name, f"'{said[name]}' {REASONS[name]}")
    load = whole(said["load_kw"], 3)
    if load is None or not _fits(load, TYPES["sanctioned_load_w"]):
        yield Flaw(line, "load_kw", f"'{said['load_kw']}' {REASONS['load_kw']}")
    amounts = {name: paise_of(said[name]) for name in (*HEADS, "total") if name in said}
    for name, paise in amounts.items():
        if paise is None:
            yield Flaw(line, name, f"'{said[name]}' {AMOUNT_REASON}")
    if "total" in said and None not in amounts.values():
        found = sum(amounts[name] or 0 for name in HEADS)
        if found != amounts["total"]:
            text = f"{found // 100}.{found % 100:02d}"
            yield Flaw(line, "total", f"says {said['total']}, the heads sum to {text}")
    first = seen.setdefault(said["number"], line)
    if first != line:
        yield Flaw(line, "number", f"'{said['number']}' stands already on line {first}")


def _fits(value: Any, wanted: Any) -> bool:
    try:
        msgspec.convert(value, wanted)
    except msgspec.ValidationError:
        return False
    return True


def _row(said: Mapping[str, str]) -> Row:
    dues = {head: paise_of(said[name]) or 0 for name, head in HEADS.items()}
    return Row(
        **{name: said[name] for name in TEXTS},
        sanctioned_load_w=whole(said["load_kw"], 3) or 0,
        dues={head: paise for head, paise in dues.items() if paise},
        office=said.get("office", HEAD_OFFICE),
    )


def batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Cut rows into requests of at most BATCH_ROWS rows and BATCH_BYTES bytes, the same way every
    time.
    """
    batch: list[Row] = []
    size = 0
    for row in rows:
        more = len(msgspec.msgpack.encode(row))
        if batch and (len(batch) == BATCH_ROWS or size + more > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(row)
        size += more
    if batch:
        yield batch
