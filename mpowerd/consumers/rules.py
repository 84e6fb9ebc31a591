"""Consumers as they are loaded and changed: pure. Which rows are the same, what may not stand."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from protocols.catalogue.consumers import Detail, Row
from protocols.heads import HEADS
from protocols.refusals import Refused


def check_rows(rows: Sequence[Row]) -> None:
    """Refuse a load that holds a consumer twice."""
    seen: set[str] = set()
    for row in rows:
        if row.number in seen:
            raise Refused("CONSUMER_EXISTS", consumer=row.number)
        seen.add(row.number)


CATEGORY: Final = re.compile(r"^[A-Z0-9-]{1,12}\Z")
"""As a load's row declares it."""


def check_details(fields: Mapping[Detail, str]) -> None:
    """Refuse BAD_BODY: a category that no load could have brought."""
    if not CATEGORY.match(fields.get("category", "A")):
        reason = "the category must be capitals, digits and dashes, at most 12"
        raise Refused("BAD_BODY", operation="consumers.change_details", reason=reason)


def loaded_as(as_of: str, row: Row) -> bytes:
    """SHA-256 of a row as loaded: the same row again is no change, any other is refused."""
    dues = [row.dues.get(head, 0) for head in HEADS]
    said = [as_of, *(getattr(row, name) for name in row.__struct_fields__ if name != "dues"), dues]
    return hashlib.sha256(msgspec.json.encode(said)).digest()
