"""Reading the fields of a file a person or a bank made: bytes to lines, amounts to paise, flaws by
line and column.

A file is refused whole, with all its flaws up to a limit, so that it is corrected once and not
twenty times. Only ASCII digits are digits. This file must not know which columns a file has.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from protocols.values import MAX_PAISE

MAX_FILE_BYTES: Final = 64 * 1024 * 1024
"""A city of a million consumers; above it is the wrong file."""
MAX_FLAWS: Final = 20
"""As many as a person corrects before looking again."""
DECIMAL: Final = re.compile(r"^([0-9]{1,12})(?:\.([0-9]{1,3}))?\Z")


class Flaw(Struct, frozen=True):
    """One thing wrong with a file: line (1-based, 0 the whole file), column ('' the whole line),
    reason.
    """

    line: int
    column: str
    reason: str

    def __str__(self) -> str:
        places = [f"line {self.line}"] if self.line else []
        places += [f"column {self.column}"] if self.column else []
        return f"{', '.join(places)}: {self.reason}." if places else f"{self.reason}."


class FileRefused(ValueError):  # noqa: N818 - a refusal is an answer, not an error
    """A file that is refused whole; ``flaws`` at most MAX_FLAWS, str() a line each."""

    def __init__(self, flaws: list[Flaw]) -> None:
        self.flaws = flaws[:MAX_FLAWS]
        lines = [str(flaw) for flaw in self.flaws]
        if len(flaws) > MAX_FLAWS:
            lines.append(f"… and {len(flaws) - MAX_FLAWS} more.")
        super().__init__("\n".join(lines))


def lines_of(data: bytes) -> Iterator[tuple[int, list[str]]]:
    """Give (line number, fields) of each CSV line that is not empty; FileRefused when it is not CSV
    text.
    """
    if len(data) > MAX_FILE_BYTES:
        raise FileRefused([Flaw(0, "", f"the file is larger than {MAX_FILE_BYTES >> 20} MB")])
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        line = data[: wrong.start].count(b"\n") + 1
        raise FileRefused([Flaw(line, "", "is not UTF-8 text; save the file as UTF-8")]) from wrong
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    try:
        for fields in reader:
            if fields:
                yield line, fields
            line = reader.line_num + 1
    except csv.Error as wrong:
        raise FileRefused([Flaw(line, "", f"is not CSV ({wrong})")]) from wrong


def whole(text: str, decimals: int) -> int | None:
    """Read a plain decimal number, scaled by ``decimals`` (rupees by 2 → paise, kW by 3 → W),
    exactly; or None.
    """
    match = DECIMAL.match(text)
    if match is None or len(match[2] or "") > decimals:
        return None
    return int(match[1] + (match[2] or "").ljust(decimals, "0"))


def paise_of(text: str) -> int | None:
    """Read rupees as ``1240`` or ``1240.50`` into paise; None if it is not an amount or above
    MAX_PAISE.
    """
    paise = whole(text, 2)
    return paise if paise is not None and paise <= MAX_PAISE else None


AMOUNT_REASON: Final = "is not an amount in rupees (as 1240 or 1240.50, ASCII digits)"
