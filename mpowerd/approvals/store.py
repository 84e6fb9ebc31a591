"""The SQL of requests and lent powers. Who decides is told by the session's hash: the database
itself finds the person behind it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from mpowerd.approvals.rules import LASTS_DAYS, Proposal, fields_of, fields_text
from mpowerd.caller import Caller
from mpowerd.database import Cursor
from mpowerd.outcomes import instant
from protocols.catalogue.approvals import Act, Answer, Approve, Decision, Edit, Forward, Waiting
from protocols.powers import Power

ASK: Final = (
    "SELECT request, founding, due_at"
    " FROM mpower.ask_approval_v1(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s,"
    " %s, %s, %s)"
)
APPROVE: Final = (
    "SELECT power, value, operation, object, body, before, after, maker_person, maker_user"
    " FROM mpower.approve_v1(%s, %s, %s, %s, %s, %s)"
)
ANSWER: Final = "SELECT mpower.answer_approval_v1(%s, %s, %s, %s, %s, %s, %s)"
EDIT: Final = (
    "SELECT new_version, due_at FROM"
    " mpower.edit_approval_v1(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
)
INBOX: Final = (
    "SELECT request, operation, object, power, value, office, version, content, state,"
    " maker_person, maker_name, reason, asked_at, due_at FROM mpower.inbox_v1(%s, %s, %s, %s)"
)
SHOW: Final = (
    "SELECT operation, object, power, value, office, version, content, state, maker_person,"
    " maker_name, reason, asked_at, due_at, before, after, with_person, acts, body"
    " FROM mpower.approval_v1(%s, %s)"
)
DELEGATE: Final = (
    "SELECT delegation, valid_from, valid_to FROM mpower.delegate_v1(%s, %s, %s, %s, %s, %s, %s)"
)
END: Final = "SELECT to_person, power, valid_from, valid_to FROM mpower.end_delegation_v1(%s, %s)"
EXPIRE: Final = "SELECT mpower.expire_approvals_v1(%s)"
LASTS: Final = dt.timedelta(days=LASTS_DAYS)


class Found(Struct, frozen=True):
    """An approved request, to be carried out now; ``value`` in the unit of its power."""

    power: Power
    value: int
    operation: str
    object: str
    body: bytes
    before: dict[str, str]
    after: dict[str, str]
    maker_person: str
    maker_user: str


class Kept(Struct, frozen=True):
    """A request as it stands: to whom it was forwarded ('' to nobody), and every act upon it."""

    waiting: Waiting
    before: dict[str, str]
    after: dict[str, str]
    forwarded_to: str
    acts: list[Act]
    body: bytes


async def _one(cursor: Cursor, query: str, values: tuple[Any, ...]) -> tuple[Any, ...]:
    await cursor.execute(query, values)
    row = await cursor.fetchone()
    assert row is not None, "these functions give one row or refuse"
    return row


async def ask(
    cursor: Cursor,
    caller: Caller,
    operation: str,
    power: str,
    proposal: Proposal,
    body: bytes,
    content: bytes,
    change: bytes,
    reason: str,
) -> tuple[int, bool, str]:
    """Keep a request; its number, whether it is founding (carry it out now), until when (ISO)."""
    number, founding, due_at = await _one(
        cursor,
        ASK,
        (
            caller.session,
            operation,
            proposal.object,
            power,
            proposal.value,
            proposal.office,
            body,
            content,
            change,
            list(proposal.persons),
            [int(one) for one in proposal.consumers],
            fields_text(proposal.before),
            fields_text(proposal.after),
            reason,
            LASTS,
        ),
    )
    return number, founding, instant(due_at)


async def approve(
    cursor: Cursor,
    caller: Caller,
    asked: Approve | Decision,
    remark: str,
    besides: Mapping[Power, int],
) -> Found:
    """Approve a request; what is to be carried out. ``besides``: values approved with it."""
    together = msgspec.json.encode(besides).decode()
    row = await _one(
        cursor,
        APPROVE,
        (caller.session, asked.request, asked.version, asked.content, remark, together),
    )
    power, value, operation, what, body, before, after, *maker = row
    shown = (fields_of(before), fields_of(after))
    return Found(Power(power), value, operation, what, bytes(body), *shown, *maker)


async def answer(
    cursor: Cursor, caller: Caller, asked: Answer | Forward, act: str, to: str | None = None
) -> str:
    """Write another act upon a request; its state now."""
    (state,) = await _one(
        cursor,
        ANSWER,
        (caller.session, asked.request, asked.version, asked.content, act, to, asked.remark),
    )
    return str(state)


async def edit(
    cursor: Cursor, caller: Caller, asked: Edit, proposal: Proposal, content: bytes, change: bytes
) -> tuple[int, str]:
    """Put another content in place; its version, and until when (ISO)."""
    version, due_at = await _one(
        cursor,
        EDIT,
        (
            caller.session,
            asked.request,
            asked.version,
            asked.content,
            asked.operation,
            proposal.object,
            proposal.value,
            proposal.office,
            asked.body,
            content,
            change,
            list(proposal.persons),
            [int(one) for one in proposal.consumers],
            fields_text(proposal.before),
            fields_text(proposal.after),
            asked.reason,
            LASTS,
        ),
    )
    return version, instant(due_at)


async def inbox(
    cursor: Cursor, caller: Caller, after: int, most: int, *, mine: bool
) -> list[Waiting]:
    """Give the requests that wait for a person, or that a person made, after one (0: from the
    first).
    """
    await cursor.execute(INBOX, (caller.session, mine, most, after))
    return [_waiting(row) for row in await cursor.fetchall()]


async def show(cursor: Cursor, caller: Caller, request: int) -> Kept | None:
    """Give a request; None: not theirs to see."""
    await cursor.execute(SHOW, (caller.session, request))
    row = await cursor.fetchone()
    if row is None:
        return None
    acts = [Act(*one) for one in msgspec.json.decode(row[16], type=list[tuple[Any, ...]])]
    waiting = _waiting((request, *row[:13]))
    shown = (fields_of(row[13]), fields_of(row[14]))
    return Kept(waiting, *shown, row[15], acts, bytes(row[17]))


async def delegate(
    cursor: Cursor,
    caller: Caller,
    to: str,
    power: str,
    first: dt.date,
    last: dt.date,
    days: int,
    reason: str,
) -> tuple[int, dt.datetime, dt.datetime]:
    """Lend a power; its number, from and until."""
    values = (caller.session, to, power, first, last, days, reason)
    number, begins, ends = await _one(cursor, DELEGATE, values)
    return number, begins, ends


async def end_delegation(
    cursor: Cursor, caller: Caller, delegation: int
) -> tuple[str, str, dt.datetime, dt.datetime]:
    """Take a lent power back; to whom, which, from and until."""
    to, power, begins, ends = await _one(cursor, END, (caller.session, delegation))
    return to, power, begins, ends


async def expire(cursor: Cursor, most: int) -> int:
    """Mark up to ``most`` requests whose time ran out; how many."""
    (marked,) = await _one(cursor, EXPIRE, (most,))
    return int(marked)


def _waiting(row: tuple[Any, ...]) -> Waiting:
    shown: list[Any] = [*row[:-2], instant(row[-2]), instant(row[-1])]
    shown[7] = bytes(shown[7])
    return Waiting(*shown)
