"""How much of a list one answer holds: a frame is 64 KiB, whatever the rows are made of.

A room gives the rows in the order of the list, the asker goes on after the last row that was
given. A row is measured as it travels, so that a text in a script of three bytes a letter counts
three. This file must not know any room.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeVar

import msgspec
from msgspec import Struct

Row = TypeVar("Row", bound=Struct)
PAGE_BYTES: Final = 48 * 1024
"""Of a page's rows; the rest of the frame is for what stands beside them."""
_measure: Final = msgspec.msgpack.Encoder()


def fitting(rows: Sequence[Row], bytes_left: int = PAGE_BYTES) -> list[Row]:
    """As many of the rows as one answer holds; at least one."""
    for n, row in enumerate(rows):
        bytes_left -= len(_measure.encode(row))
        if bytes_left < 0:
            return list(rows[: max(n, 1)])
    return list(rows)


def page(
    rows: Iterable[Row], key: Callable[[Row], str], mark: str, *, newest_first: bool = False
) -> tuple[list[Row], str]:
    """Give the rows of a short list that follow ``mark`` and fit, in the order of ``key``, and the
    mark for the next page, '' at the end. A row that came or went meanwhile moves no other.
    """
    ordered = sorted(rows, key=key, reverse=newest_first)
    left = [one for one in ordered if not mark or (key(one) < mark) == newest_first]
    left = [one for one in left if key(one) != mark]
    kept = fitting(left)
    return kept, key(kept[-1]) if len(kept) < len(left) else ""
