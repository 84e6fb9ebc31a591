"""The bank links' SQL."""

from __future__ import annotations

from typing import Final

from mpowerd.audit.store import chain_of
from mpowerd.banking.rules import consumer, day
from mpowerd.caller import Caller
from mpowerd.database import Cursor
from protocols.catalogue.banking import Post

BEFORE: Final = "SELECT fingerprint, reply FROM mpower.scroll_before_v1(%s, %s, %s)"
POST: Final = (
    "SELECT number, matched FROM mpower.post_scroll_v1(%s, %s, %s, %s, %s, %s, %s, %s, %s,"
    " %s::bigint[], %s::bigint[], %s::date[])"
)
KEEP: Final = "SELECT mpower.keep_scroll_v1(%s, %s, %s, %s, %s)"


async def before(cursor: Cursor, bank: str, scroll: str, part: int) -> tuple[bytes, bytes] | None:
    """Give (fingerprint, reply) of a part posted before; None: it was not."""
    await cursor.execute(BEFORE, (bank, scroll, part))
    row = await cursor.fetchone()
    return None if row is None else (row[0], row[1])


async def post(
    cursor: Cursor, caller: Caller, body: Post, print_of: bytes
) -> list[tuple[str, bool]]:
    """Post a part; for each line its receipt number and whether it found its consumer."""
    await cursor.execute(
        POST,
        (
            chain_of(caller.subject),
            caller.counter,
            caller.user,
            caller.address,
            body.scroll,
            body.part,
            print_of,
            [line.reference for line in body.lines],
            [line.consumer for line in body.lines],
            [consumer(line) for line in body.lines],
            [line.amount_paise for line in body.lines],
            [day(line) for line in body.lines],
        ),
    )
    return [(number, matched) for number, matched in await cursor.fetchall()]


async def keep(cursor: Cursor, bank: str, body: Post, print_of: bytes, reply: bytes) -> None:
    """Keep a part's answer, for the same file again."""
    await cursor.execute(KEEP, (bank, body.scroll, body.part, print_of, reply))
