"""The receipt books' SQL."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

import msgspec

from mpowerd.audit.store import chain_of
from mpowerd.caller import Caller
from mpowerd.database import Cursor
from mpowerd.receipt_books.rules import SLOTS, Known, Span, consumer, content, day
from protocols.catalogue.receipt_books import Book, Enter, Leaf, Register, Spoilt
from protocols.refusals import Refused

REGISTER: Final = "SELECT mpower.register_book_v1(%s, %s, %s, %s, %s)"
HELD: Final = "SELECT * FROM mpower.held_book_v1(%s, %s::integer[])"
ENTER: Final = (
    "SELECT leaf, receipt, ours FROM mpower.enter_leaves_v1(%s, %s, %s, %s, %s, %s::integer[],"
    " %s::date[], %s::text[], %s::bigint[], %s::bigint[], %s::text[], %s::integer[], %s::text[],"
    " %s::bytea[], %s::integer[], %s::text[])"
)
CLOSE: Final = "SELECT mpower.close_book_v1(%s, %s, %s)"
BOOK: Final = (
    "SELECT book, counter, first_leaf, last_leaf, next_leaf, entered, spoilt, suspense, paise,"
    " CASE closed_by WHEN '' THEN 'OPEN' ELSE 'CLOSED' END FROM mpower.book_v1(%s)"
)


async def register(cursor: Cursor, body: Register, by: str) -> None:
    """Register a book."""
    await cursor.execute(REGISTER, (body.book, body.counter, body.first, body.last, by))


async def held(cursor: Cursor, book: str, leaves: Sequence[int]) -> tuple[Span, dict[int, Known]]:
    """Hold an open book; its span, and which of these leaves are accounted for."""
    await cursor.execute(HELD, (book, list(leaves)))
    rows = await cursor.fetchall()
    first, last, following = rows[0][:3]
    known = {
        leaf: Known(receipt, bytes(said or b""), spoilt or "")
        for *_, leaf, receipt, said, spoilt in rows
        if leaf is not None
    }
    return Span(first, last, following), known


async def enter(
    cursor: Cursor, caller: Caller, body: Enter, leaves: Sequence[Leaf], spoilt: Sequence[Spoilt]
) -> list[tuple[int, str, bool]]:
    """Enter leaves of a held book; for each its receipt and whether it found its consumer."""
    await cursor.execute(
        ENTER,
        (
            chain_of(caller.subject),
            body.book,
            caller.user,
            caller.address,
            hashlib.sha256(msgspec.json.encode(body)).digest(),
            [one.leaf for one in leaves],
            [day(one) for one in leaves],
            [one.consumer for one in leaves],
            [consumer(one) for one in leaves],
            [one.amount_paise for one in leaves],
            [one.mode for one in leaves],
            [SLOTS[one.mode] for one in leaves],
            [one.instrument for one in leaves],
            [content(one) for one in leaves],
            [one.leaf for one in spoilt],
            [one.reason for one in spoilt],
        ),
    )
    return [(leaf, receipt, ours) for leaf, receipt, ours in await cursor.fetchall()]


async def close(cursor: Cursor, book: str, by: str, why: str) -> None:
    """Close a held book."""
    await cursor.execute(CLOSE, (book, by, why))


async def book(cursor: Cursor, code: str) -> Book:
    """Give a book as it stands."""
    await cursor.execute(BOOK, (code,))
    row = await cursor.fetchone()
    if row is None:
        raise Refused("NO_BOOK", book=code)
    return Book(*row)
