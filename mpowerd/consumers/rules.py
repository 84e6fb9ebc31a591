"""Consumers as they are loaded: pure. Which rows are the same, and what a load may not hold."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

import msgspec

from protocols.catalogue.consumers import Head, Row
from protocols.refusals import Refused

HEADS: Final[tuple[Head, ...]] = ("LPSC", "ARREARS", "CURRENT", "FIXED", "DUTY", "ADVANCE")
"""Heads in the order of their slots 1 to 6; slot 0 is RECEIVED, awaiting verification."""


def check_rows(rows: Sequence[Row]) -> None:
    """Refuse a load that holds a consumer twice."""
    seen: set[str] = set()
    for row in rows:
        if row.number in seen:
            raise Refused("CONSUMER_EXISTS", consumer=row.number)
        seen.add(row.number)


def loaded_as(as_of: str, row: Row) -> bytes:
    """SHA-256 of a row as loaded: the same row again is no change, any other is refused."""
    dues = [row.dues.get(head, 0) for head in HEADS]
    said = [as_of, *(getattr(row, name) for name in row.__struct_fields__ if name != "dues"), dues]
    return hashlib.sha256(msgspec.json.encode(said)).digest()
