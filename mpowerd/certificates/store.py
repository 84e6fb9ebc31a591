"""The SQL of requests for certificates."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from mpowerd.database import Cursor

ASK: Final = "SELECT request_id, asked_at FROM mpower.ask_certificate_v1(%s, %s, %s, %s, %s)"
FETCH: Final = "SELECT state, asked_at, certificate, why FROM mpower.fetch_certificate_v1(%s, %s)"
USE: Final = "SELECT request_id, used_at FROM mpower.use_certificate_v1(%s, %s)"
WAITING: Final = (
    "SELECT request_id, subject, asked_at, address, request"
    " FROM mpower.waiting_certificates_v1(%s, %s)"
)
REQUEST: Final = "SELECT subject, request FROM mpower.certificate_request_v1(%s)"
SETTLE: Final = "SELECT mpower.settle_certificate_v1(%s, %s, %s)"
UNSIGNED: Final = (
    "SELECT subject, asked_at FROM mpower.unsigned_certificates_v1(make_interval(hours => %s), %s)"
)


async def ask(
    cursor: Cursor, subject: str, digest: bytes, request: str, address: str, most: int
) -> tuple[int, dt.datetime]:
    """Keep a request: its number, and since when it is kept."""
    number, since = await _one(cursor, ASK, (subject, digest, request, address, most))
    return number, since


async def fetch(
    cursor: Cursor, subject: str, digest: bytes
) -> tuple[str, dt.datetime, str, str] | None:
    """Give (state, since, certificate, why) of a machine's own request; None: it has none."""
    await cursor.execute(FETCH, (subject, digest))
    row = await cursor.fetchone()
    return None if row is None else (row[0], row[1], row[2] or "", row[3] or "")


async def use(cursor: Cursor, subject: str, digest: bytes) -> tuple[int, dt.datetime]:
    """Note that a machine calls with its new certificate: the request, and since when."""
    number, since = await _one(cursor, USE, (subject, digest))
    return number, since


async def waiting(
    cursor: Cursor, after: int, most: int
) -> list[tuple[int, str, dt.datetime, str, str]]:
    """Give (number, subject, since, address, request) of those that wait, after a number."""
    await cursor.execute(WAITING, (after, most))
    return [(row[0], row[1], row[2], row[3], row[4]) for row in await cursor.fetchall()]


async def request(cursor: Cursor, request_id: int) -> tuple[str, str]:
    """Lock a request that waits: its subject and what it asks."""
    subject, asked = await _one(cursor, REQUEST, (request_id,))
    return subject, asked


async def settle(cursor: Cursor, request_id: int, certificate: str | None, why: str) -> None:
    """Answer it."""
    await cursor.execute(SETTLE, (request_id, certificate, why))


async def unsigned(cursor: Cursor, hours: int, most: int) -> list[tuple[str, dt.datetime]]:
    """Give (subject, since) of those that wait longer than these hours."""
    await cursor.execute(UNSIGNED, (hours, most))
    return [(row[0], row[1]) for row in await cursor.fetchall()]


async def _one(cursor: Cursor, query: str, values: tuple[Any, ...]) -> tuple[Any, ...]:
    await cursor.execute(query, values)
    row = await cursor.fetchone()
    assert row is not None, "it has one row or refuses"
    return row
