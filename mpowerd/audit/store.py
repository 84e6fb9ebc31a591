"""The audit's SQL: one entry as a link of its own, for what no key's outcome records."""

from __future__ import annotations

import uuid
import zlib
from typing import Any, Final

from psycopg import AsyncCursor

from mpowerd.caller import Caller, Key

LANE_CHAINS: Final = 128
"""Chains 0–127 belong to posting lanes, one each; the next OTHER_CHAINS are shared by everything
else.
"""
OTHER_CHAINS: Final = 16
NOTE: Final = "SELECT mpower.audit_note_v1(" + ", ".join(["%s"] * 14) + ")"


def chain_of(subject: str) -> int:
    """Choose the chain of a terminal's ordinary operations: few waits, no global head."""
    return LANE_CHAINS + zlib.crc32(subject.encode()) % OTHER_CHAINS


async def note(
    cursor: AsyncCursor[tuple[Any, ...]],
    chain: int,
    caller: Caller,
    what: str,
    outcome: str,
    *,
    key: Key | None = None,
    about: str = "",
    details: str = "",
    reason: str = "",
) -> None:
    """Write one audit entry: who did what with which outcome, where, about what, why."""
    await cursor.execute(
        NOTE,
        (
            chain,
            what,
            outcome,
            caller.user,
            caller.person,
            caller.role.value,
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
