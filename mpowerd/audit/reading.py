"""Reading the audit: entries for people, rows for an export. Page by page, each of a bounded look
and small enough for one frame.

An export begins as a keyed operation, so that it is an entry itself; its rows are given only to who
began it. This file must not know how a proof is made.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from mpowerd.audit import store
from mpowerd.audit.masking import masked
from mpowerd.caller import Caller
from mpowerd.database import Cursor
from mpowerd.paging import fitting
from protocols.catalogue import audit as words
from protocols.checkpoints import public_pem
from protocols.operation import Role
from protocols.refusals import Refused

WHAT: Final = 3
"""Where a row behind its time names the operation."""
LINKS: Final = 500
ROWS: Final = 2_000
MOST: Final = 200
PAGE_BYTES: Final = 40_000
"""Of 64 KiB a frame has: the rest is names, keys and what msgpack adds."""
ALL_LEAVES: Final = 700
"""Of 44 bytes each."""
FIRST: Final = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
LAST: Final = dt.datetime(9000, 1, 1, tzinfo=dt.UTC)


async def show(cursor: Cursor, caller: Caller, body: words.Look) -> words.Entries:
    """Give the next older entries that fit."""
    before = moment(body.before, LAST)
    rows = await store.show(
        cursor,
        (before, body.before_link, body.before_position, moment(body.since, FIRST)),
        (LINKS, ROWS, MOST),
        (body.user, body.object, body.operation),
    )
    end_at, end_link, done = rows[0][:3]
    entries, full = _page([_entry(caller.role, row[3:]) for row in rows if row[3] is not None])
    if full:
        last = entries[-1]
        return words.Entries(entries, False, last.at, last.link, last.position)
    if end_at is None or done:
        return words.Entries(entries, True)
    return words.Entries(entries, False, iso(end_at), end_link, 0)


def _page(entries: list[words.Entry]) -> tuple[list[words.Entry], bool]:
    """Cut what does not fit into an answer; True: there may be more where it was cut."""
    kept = fitting(entries)
    return kept, len(kept) < len(entries) or len(entries) >= MOST


def _entry(role: Role, row: Sequence[Any]) -> words.Entry:
    at, *place_and_who, client, sequence, about, details, reason = row
    details = masked(role, place_and_who[WHAT], details)
    key = f"{client}/{sequence}" if client is not None else ""
    values: list[Any] = [iso(at), *place_and_who, key, about, details, reason]
    return words.Entry(*values)


def moment(text: str, otherwise: dt.datetime) -> dt.datetime:
    """Read a moment; without a zone it could be another one."""
    if not text:
        return otherwise
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise Refused("BAD_MOMENT", moment=text)
    return found


def iso(at: dt.datetime) -> str:
    """Write a moment exactly."""
    return at.astimezone(dt.UTC).isoformat(timespec="microseconds")


async def export(cursor: Cursor, body: words.Export, public: Ed25519PublicKey) -> words.Exported:
    """Begin an export, of all that is signed or of a range that holds something."""
    since, before = moment(body.since, FIRST), moment(body.until, LAST)
    if since >= before:
        raise Refused("BAD_RANGE", **_edges(body))
    found = await store.proving(cursor, since, before)
    if found.newest is None or found.first is None:
        raise Refused("NOTHING_SIGNED")
    if not found.written:
        newest = (await store.state(cursor)).newest
        assert newest is not None, "there is the one that was found"
        first, last = (f"{at[:19]}Z" for at in (iso(found.first), newest.at))
        raise Refused("NOTHING_WRITTEN", **_edges(body), first=first, last=last)
    spans = [words.Span(*span) for span in found.spans]
    key = public_pem(public).decode()
    return words.Exported(found.newest, key, found.since, list(found.peaks), spans)


def _edges(body: words.Export) -> dict[str, str]:
    return {"since": body.since or "the beginning", "until": body.until or "now"}


async def leaves(cursor: Cursor, caller: Caller, body: words.Leaves) -> words.LeavesPage:
    """Give the next leaves."""
    found = await store.tree(cursor, body.first, ALL_LEAVES)
    return words.LeavesPage([words.Head(row[1], row[2]) for row in found])


async def rows(cursor: Cursor, caller: Caller, body: words.Rows) -> words.RowsPage:
    """Give the next rows of an export that this caller began."""
    key = body.export
    asked = (caller.counter, uuid.UUID(bytes=key.client), key.sequence, caller.user)
    begun = msgspec.msgpack.decode(await store.export(cursor, asked), type=words.Exported)
    after = (body.after_link, body.after_position)
    found: list[tuple[Any, ...]] = []
    for span in begun.spans:  # in the order of the chains
        if not found and span.last >= body.after_link:
            found = await store.rows(cursor, asked, (span.first, span.last), after, MOST)
    page: list[words.Row] = []
    size = 0
    for link, at, *rest in found:
        one = words.Row(link, iso(at), *rest)
        size += len(one.evidence) + 150
        if size > PAGE_BYTES and page:
            break
        page.append(one)
    return words.RowsPage(page)
