"""Security's operations: users, counters, who is signed in.

Signing in itself is a conversation, not an operation. What hashes a password, slow on purpose and
in threads of its own, comes in by the door (``served``).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from mpowerd.caller import Caller
from mpowerd.database import Cursor
from mpowerd.outcomes import instant
from mpowerd.security import store
from mpowerd.security.rules import check_password
from protocols.catalogue.body import Nothing
from protocols.catalogue.security import (
    AddCounter,
    AddUser,
    CounterAdded,
    DisableUser,
    SessionRow,
    Sessions,
    UserAdded,
    UserDisabled,
)

Hashing = Callable[[str], Awaitable[str]]
"""Gives a password's hash; raises Refused BUSY when too many are being worked on."""


async def add_user(cursor: Cursor, caller: Caller, body: AddUser, hashing: Hashing) -> UserAdded:
    """Add a user; the password is judged, hashed, and forgotten."""
    check_password(body.password, body.user)
    password_hash = await hashing(body.password)
    await store.add_user(cursor, body.user, body.person, body.role.value, password_hash)
    return UserAdded(body.user, body.role.value)


async def disable_user(cursor: Cursor, caller: Caller, body: DisableUser) -> UserDisabled:
    """Disable a user and end every session."""
    return UserDisabled(body.user, await store.disable_user(cursor, body.user, body.reason))


async def add_counter(cursor: Cursor, caller: Caller, body: AddCounter) -> CounterAdded:
    """Add a counter or a bank link with its series and accounts."""
    await store.add_counter(cursor, body.counter, body.office, body.kind)
    return CounterAdded(body.counter, body.office, body.kind)


async def sessions(cursor: Cursor, caller: Caller, body: Nothing) -> Sessions:
    """Say who is signed in where."""
    rows = await store.sessions(cursor)
    return Sessions(
        [SessionRow(user, role, subject, instant(since)) for user, role, subject, since in rows]
    )


def served(hashing: Hashing) -> dict[str, Any]:
    """Give the operations of a node that hashes passwords so."""

    async def add(cursor: Cursor, caller: Caller, body: AddUser) -> UserAdded:
        return await add_user(cursor, caller, body, hashing)

    return {
        "security.add_user": add,
        "security.disable_user": disable_user,
        "security.add_counter": add_counter,
        "security.sessions": sessions,
    }


FUNCTIONS: Final[dict[str, tuple[str, ...]]] = {
    "security.add_user": ("add_user_v1",),
    "security.disable_user": ("disable_user_v1",),
    "security.add_counter": ("add_counter_v1",),
    "security.sessions": ("sessions_v1",),
}
