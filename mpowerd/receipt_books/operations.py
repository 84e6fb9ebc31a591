"""The receipt books' operations: register, enter, see, close."""

from __future__ import annotations

from typing import Any, Final

from mpowerd.caller import Caller
from mpowerd.database import Cursor
from mpowerd.receipt_books import store
from mpowerd.receipt_books.rules import fresh
from protocols.catalogue.receipt_books import (
    AskBook,
    Book,
    CloseBook,
    Enter,
    Entered,
    LeafOutcome,
    Register,
)
from protocols.refusals import Refused


async def register(cursor: Cursor, caller: Caller, body: Register) -> Book:
    """Register a book for a counter."""
    if body.last < body.first:
        raise Refused("BOOK_SPAN", first=body.first, last=body.last)
    await store.register(cursor, body, caller.user)
    return await store.book(cursor, body.book)


async def enter(cursor: Cursor, caller: Caller, body: Enter) -> Entered:
    """Enter the next leaves of a book."""
    said = [*(one.leaf for one in body.leaves), *(one.leaf for one in body.spoilt)]
    span, known = await store.held(cursor, body.book, said)
    leaves, spoilt, before = fresh(body, span, known)
    outcomes = [LeafOutcome(one, "BEFORE", known[one].receipt) for one in before]
    outcomes += [LeafOutcome(one.leaf, "SPOILT", "") for one in spoilt]
    if leaves or spoilt:
        entered = await store.enter(cursor, caller, body, leaves, spoilt)
        outcomes += [
            LeafOutcome(leaf, "ENTERED" if ours else "SUSPENSE", receipt)
            for leaf, receipt, ours in entered
        ]
    outcomes.sort(key=lambda one: one.leaf)
    return Entered(body.book, outcomes, span.next + len(leaves) + len(spoilt))


async def show(cursor: Cursor, caller: Caller, body: AskBook) -> Book:
    """Give a book as it stands."""
    return await store.book(cursor, body.book)


async def close(cursor: Cursor, caller: Caller, body: CloseBook) -> Book:
    """Close a book for good."""
    span, _ = await store.held(cursor, body.book, [])
    if body.next_leaf != span.next:
        raise Refused("LEAVES_LEFT", book=body.book, said=body.next_leaf, next=span.next)
    await store.close(cursor, body.book, caller.user, body.reason)
    return await store.book(cursor, body.book)


SERVED: Final[dict[str, Any]] = {
    "receipt_books.register": register,
    "receipt_books.enter": enter,
    "receipt_books.show": show,
    "receipt_books.close": close,
}
FUNCTIONS: Final[dict[str, tuple[str, ...]]] = {
    "receipt_books.register": ("register_book_v1", "book_v1"),
    "receipt_books.enter": ("held_book_v1", "enter_leaves_v1"),
    "receipt_books.show": ("book_v1",),
    "receipt_books.close": ("held_book_v1", "close_book_v1", "book_v1"),
}
