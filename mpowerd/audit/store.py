"""The audit's SQL: one entry as a link of its own, for what no key's outcome records; the log of
heads and its checkpoints.
"""

from __future__ import annotations

import datetime as dt
import uuid
import zlib
from collections.abc import Sequence
from typing import Any, Final

from msgspec import Struct
from psycopg import AsyncCursor

from mpowerd.caller import Caller, Key
from protocols.checkpoints import Checkpoint
from protocols.merkle import HASH_BYTES, Tree

LANE_CHAINS: Final = 128
"""Chains 0–127 belong to posting lanes, one each; the next OTHER_CHAINS are shared by everything
else.
"""
OTHER_CHAINS: Final = 16
NOTE: Final = "SELECT mpower.audit_note_v1(" + ", ".join(["%s"] * 14) + ")"
MOVED: Final = "SELECT mpower.audit_moved_v1()"
ROOT_AT: Final = "SELECT mpower.audit_root_v1(%s)"
GROW: Final = (
    "SELECT size, root, at, term, signature, peaks, links, hashes, moment, now_term"
    " FROM mpower.audit_grow_v1(%s)"
)
KEEP: Final = "SELECT mpower.audit_keep_v1(%s, %s, %s, %s, %s, %s, %s)"
STATE: Final = (
    "SELECT leaves, checkpoints, size, root, at, term, signature FROM mpower.audit_state_v1()"
)
SLICE: Final = (
    "SELECT last, seen_links, seen_entries, done, bad_link, bad_position, trouble"
    " FROM mpower.audit_slice_v1(%s, %s, %s)"
)
TREE: Final = (
    "SELECT leaf, link, hash, found, root, at, term, signature FROM mpower.audit_tree_v1(%s, %s)"
)
SHOW: Final = (
    "SELECT end_at, end_link, done, at, link, entry_position, term, what, outcome, user_name,"
    " person, role, subject, address, counter, client, sequence, about, details, reason"
    " FROM mpower.audit_show_v1(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
)
NEWEST: Final = "SELECT what, object, details FROM mpower.audit_newest_v1(%s, %s)"
RANGE: Final = (
    "SELECT size, root, at, term, signature, from_size, from_root, from_at, from_term,"
    " from_signature, peaks, firsts, lasts, written, first FROM mpower.audit_range_v1(%s, %s)"
)
EXPORT: Final = "SELECT mpower.audit_export_v1(%s, %s, %s, %s)"
ROWS: Final = (
    "SELECT link, at, term, covers, previous, hash, kind, place, evidence"
    " FROM mpower.audit_rows_v1(%s, %s, %s, %s, %s, %s, %s, %s, %s)"
)
Cursor = AsyncCursor[tuple[Any, ...]]


def chain_of(subject: str) -> int:
    """Choose the chain of a terminal's ordinary operations: few waits, no global head."""
    return LANE_CHAINS + zlib.crc32(subject.encode()) % OTHER_CHAINS


async def note(
    cursor: Cursor,
    chain: int,
    caller: Caller,
    what: str,
    outcome: str,
    *,
    key: Key | None = None,
    signed_in: bool = True,
    about: str = "",
    details: str = "",
    reason: str = "",
) -> None:
    """Write one audit entry: who did what with which outcome, where, about what, why. Nobody has a
    role who is not ``signed_in``.
    """
    await cursor.execute(
        NOTE,
        (
            chain,
            what,
            outcome,
            caller.user,
            caller.person,
            caller.role.value if signed_in else "",
            caller.subject,
            caller.address,
            caller.counter,
            uuid.UUID(bytes=key.client) if key else None,
            key.sequence if key else None,
            about,
            details,
            reason,
        ),
    )


def _cut(peaks: bytes | None) -> tuple[bytes, ...]:
    packed = peaks or b""
    return tuple(packed[i : i + HASH_BYTES] for i in range(0, len(packed), HASH_BYTES))


class Growth(Struct, frozen=True):
    """The log after its heads were written: the last checkpoint with its tree, the heads (link,
    hash) since, the moment (ISO, UTC) and term of the writing.
    """

    last: Checkpoint | None
    tree: Tree
    heads: Sequence[tuple[int, bytes]]
    moment: str
    term: int


async def _row(cursor: Cursor, query: str, values: tuple[Any, ...] = ()) -> tuple[Any, ...]:
    row = await (await cursor.execute(query.encode(), values)).fetchone()
    assert row is not None, "these functions give one row"
    return row


async def moved(cursor: Cursor) -> bool:
    """Say whether there is anything that no checkpoint covers."""
    return bool((await _row(cursor, MOVED))[0])


async def root_at(cursor: Cursor, size: int) -> bytes | None:
    """Give the root that was signed over the first ``size`` heads; None: there is no such one."""
    (found,) = await _row(cursor, ROOT_AT, (size,))
    return None if found is None else bytes(found)


async def grow(cursor: Cursor, most: int) -> Growth:
    """Append the heads that have moved to the log."""
    row = await _row(cursor, GROW, (most,))
    size, top, at, term, signature, peaks, links, hashes, moment, now_term = row
    last = None if top is None else Checkpoint(size, top, at, term, signature)
    at_utc = moment.astimezone(dt.UTC).isoformat(timespec="microseconds")
    return Growth(
        last, Tree(size, _cut(peaks)), list(zip(links, hashes, strict=True)), at_utc, now_term
    )


async def keep(cursor: Cursor, made: Checkpoint, tree: Tree, follows: int) -> bool:
    """Keep a checkpoint after the one of size ``follows``; False: another came first."""
    values = (made.size, made.root, made.at, made.term, made.signature, b"".join(tree.peaks))
    return bool((await _row(cursor, KEEP, (*values, follows)))[0])


class State(Struct, frozen=True):
    """How far the log goes, how many checkpoints there are, and the newest."""

    leaves: int
    checkpoints: int
    newest: Checkpoint | None


async def state(cursor: Cursor) -> State:
    """Look how far the log goes."""
    leaves, checkpoints, size, *rest = await _row(cursor, STATE)
    return State(leaves, checkpoints, None if size is None else Checkpoint(size, *rest))


async def links(cursor: Cursor, after: int, most_links: int, most_rows: int) -> tuple[Any, ...]:
    """Recompute the next links: last, links, entries, done, bad link, bad position, trouble."""
    return await _row(cursor, SLICE, (after, most_links, most_rows))


async def tree(cursor: Cursor, first: int, most: int) -> list[tuple[Any, ...]]:
    """Give leaves: leaf, link, hash, the link's hash now, and a checkpoint's root, at, term,
    signature where one ends with it.
    """
    return await (await cursor.execute(TREE, (first, most))).fetchall()


async def show(
    cursor: Cursor, before: tuple[Any, ...], limits: tuple[int, ...], wanted: tuple[str, ...]
) -> list[tuple[Any, ...]]:
    """Give entries, each after (end at, end link, done) of the look; one row at least."""
    return await (await cursor.execute(SHOW, (*before, *limits, *wanted))).fetchall()


class Range(Struct, frozen=True):
    """What proves a range: up to which checkpoint, after which one (None: from the beginning) with
    its tree's peaks; (first, last) link of each chain; whether any row is of it; the oldest row's
    time.
    """

    newest: Checkpoint | None
    since: Checkpoint | None
    peaks: tuple[bytes, ...]
    spans: Sequence[tuple[int, int]]
    written: bool
    first: dt.datetime | None


async def proving(cursor: Cursor, since: dt.datetime, before: dt.datetime) -> Range:
    """Look what proves the rows from ``since`` until before ``before``."""
    row = await _row(cursor, RANGE, (since, before))
    newest, earlier, (peaks, firsts, lasts, written, first) = row[:5], row[5:10], row[10:]
    return Range(
        None if newest[0] is None else Checkpoint(*newest),
        None if earlier[0] is None else Checkpoint(*earlier),
        _cut(peaks),
        list(zip(firsts, lasts, strict=True)),
        written,
        first,
    )


async def export(cursor: Cursor, asked: tuple[Any, ...]) -> bytes:
    """Give what was answered to an export: of (counter, client, sequence, user)."""
    (found,) = await _row(cursor, EXPORT, asked)
    return bytes(found)


async def rows(
    cursor: Cursor,
    asked: tuple[Any, ...],
    span: tuple[int, int],
    after: tuple[int, int],
    most: int,
) -> list[tuple[Any, ...]]:
    """Give rows of an export: link, at, term, covers, previous, hash, kind, position, evidence."""
    return await (await cursor.execute(ROWS, (*asked, *span, *after, most))).fetchall()


async def newest(
    cursor: Cursor, whats: Sequence[str], objects: Sequence[str]
) -> list[tuple[str, str, str]]:
    """Give (what, object, details) a node entered last, of each pair about which it did."""
    return await (await cursor.execute(NEWEST, (list(whats), list(objects)))).fetchall()
