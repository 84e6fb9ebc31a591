"""Four eyes' operations: asking, deciding, carrying out.

A four-eyes operation is served by ``asking``: its body becomes a request. ``Approvals`` carries it
out in the transaction of the approval, in the approver's role; the database lets its function run
only there. What is not known here - the rooms' own work and what each would change - comes in by
the door (``carry``, ``propose``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import msgspec
import psycopg
from msgspec import Struct

from mpowerd.approvals import store
from mpowerd.approvals.rules import (
    DELEGATION_DAYS,
    Proposal,
    change_of,
    changes,
    check_changes,
    check_fresh,
    content_of,
    fields_text,
)
from mpowerd.audit.store import chain_of, note
from mpowerd.caller import Caller
from mpowerd.database import Cursor
from mpowerd.jurisdiction import check_office
from mpowerd.outcomes import instant
from mpowerd.paging import fitting
from mpowerd.refusals import refusal_of
from protocols.catalogue import CATALOGUE
from protocols.catalogue import approvals as words
from protocols.codec import decode_body
from protocols.operation import Operation
from protocols.powers import AGAIN_FROM, AT_ONCE, Power
from protocols.refusals import Refused

Carry = Callable[[Cursor, Caller, Any], Awaitable[Struct]]
Propose = Callable[[Cursor, Any], Awaitable[Proposal]]
SAID: Final = 300
"""Letters of a refusal beside 49 others: the whole sentence comes with the request alone."""


class Approvals:
    """``carry`` and ``propose`` by operation name, of every four-eyes operation."""

    def __init__(self, carry: Mapping[str, Carry], propose: Mapping[str, Propose]) -> None:
        self._carry, self._propose = carry, propose

    def asking(self, operation: Operation) -> Carry:
        """Give what serves a four-eyes operation: keep its body as a request."""

        async def ask(cursor: Cursor, caller: Caller, body: Any) -> words.Pending:
            return await self._ask(cursor, caller, operation, body)

        return ask

    async def _ask(
        self, cursor: Cursor, caller: Caller, operation: Operation, body: Any
    ) -> words.Pending:
        assert operation.four_eyes is not None, operation.name
        proposal = await self._propose[operation.name](cursor, body)
        check_changes(proposal)
        power, raw = operation.four_eyes.power, msgspec.msgpack.encode(body)
        content = content_of(operation.name, raw)
        reason = str(getattr(body, "reason", ""))
        number, founding, due = await store.ask(
            *(cursor, caller, operation.name, power, proposal, raw, content),
            *(change_of(operation.name, body), reason),
        )
        if founding:
            await self._carry[operation.name](cursor, caller, body)
            await _note(cursor, caller, operation.name, "FOUNDING", proposal.object, proposal)
        return words.Pending(number, 1, content, power, proposal.office, due, founding)

    async def approve(self, cursor: Cursor, caller: Caller, body: words.Approve) -> words.Approved:
        """Approve a request and carry it out."""
        approved, _ = await self._approve(cursor, caller, body, body.remark, {})
        return approved

    async def approve_many(
        self, cursor: Cursor, caller: Caller, body: words.ApproveMany
    ) -> words.ApprovedMany:
        """Approve several, each behind a savepoint of its own; bounded by what they come to."""
        decided, besides = [], dict[Power, int]()
        for one in body.decisions:
            await cursor.execute("SAVEPOINT decision")
            try:
                _, found = await self._approve(cursor, caller, one, body.remark, besides)
            except (Refused, psycopg.Error) as trouble:
                refused = trouble if isinstance(trouble, Refused) else refusal_of(trouble)
                if refused is None or not refused.final:
                    raise
                await cursor.execute("ROLLBACK TO SAVEPOINT decision")
                decided.append(words.Decided(one.request, refused.code, refused.sentence[:SAID]))
            else:
                besides[found.power] = besides.get(found.power, 0) + found.value
                decided.append(words.Decided(one.request, "", ""))
        return words.ApprovedMany(decided)

    async def _approve(
        self,
        cursor: Cursor,
        caller: Caller,
        asked: words.Approve | words.Decision,
        remark: str,
        besides: Mapping[Power, int],
    ) -> tuple[words.Approved, store.Found]:
        found = await store.approve(cursor, caller, asked, remark, besides)
        operation = CATALOGUE.get(found.operation)
        assert operation is not None, f"{found.operation} is kept as a request and not declared"
        _check_role(operation, caller)
        _check_value(operation, caller, asked.request, found, besides.get(found.power))
        inner = decode_body(operation, found.body)
        proposal = await self._propose[found.operation](cursor, inner)
        check_fresh(asked.request, found.before, proposal.before)
        await self._carry[found.operation](cursor, caller, inner)
        about = f"{found.object} (request {asked.request} of {found.maker_user})"
        await _note(cursor, caller, found.operation, "APPROVED", about, proposal)
        return words.Approved(asked.request, found.operation, found.object), found

    async def edit(self, cursor: Cursor, caller: Caller, body: words.Edit) -> words.Pending:
        """Put another body in place of a request's."""
        operation = CATALOGUE.get(body.operation)
        if operation is None or operation.four_eyes is None:
            raise Refused("UNKNOWN_OPERATION", operation=body.operation)
        inner = decode_body(operation, body.body)
        await _check_may_ask(cursor, caller, operation, inner)
        proposal = await self._propose[operation.name](cursor, inner)
        check_changes(proposal)
        content, change = content_of(operation.name, body.body), change_of(operation.name, inner)
        version, due = await store.edit(cursor, caller, body, proposal, content, change)
        power = operation.four_eyes.power
        return words.Pending(body.request, version, content, power, proposal.office, due)


async def _check_may_ask(cursor: Cursor, caller: Caller, operation: Operation, body: Any) -> None:
    """Refuse an edit that its maker could not ask for anew: by role, office, or a stale sign-in."""
    if caller.role not in operation.roles:
        needed = " or ".join(sorted(operation.roles))
        raise Refused("ROLE", purpose=operation.purpose, role=caller.role, needed=needed)
    await check_office(cursor, caller, operation, body)
    if operation.again == "always" and not caller.fresh:
        raise Refused("PROVE_AGAIN")


def _check_role(operation: Operation, caller: Caller) -> None:
    """Refuse ROLE: a power, lent or own, is used only in a role that may approve this operation."""
    by = operation.four_eyes.by if operation.four_eyes else frozenset()
    if caller.role not in by:
        purpose, needed = f"approve: {operation.purpose}", " or ".join(sorted(by))
        raise Refused("ROLE", purpose=purpose, role=caller.role, needed=needed)


def _check_value(
    operation: Operation, caller: Caller, request: int, found: store.Found, before: int | None
) -> None:
    """Refuse BULK_VALUE where it comes to too much with those before it, and PROVE_AGAIN where
    it is of high value and the approver's sign-in is not fresh.
    """
    power, together = found.power, found.value + (before or 0)
    if before is not None and together > AT_ONCE.get(power, together):
        raise Refused("BULK_VALUE", request=request, power=power)
    high = together >= AGAIN_FROM.get(power, together + 1)
    if (high or operation.again == "always") and not caller.fresh:
        raise Refused("PROVE_AGAIN")


async def _note(
    cursor: Cursor, caller: Caller, what: str, outcome: str, about: str, proposal: Proposal
) -> None:
    """Audit what was carried out, with before and after: besides the decision's own entry."""
    details = f'{{"before":{fields_text(proposal.before)},"after":{fields_text(proposal.after)}}}'
    chain = chain_of(caller.subject)
    await note(cursor, chain, caller, what, outcome, about=about, details=details)


ACTS_BYTES: Final = 5 * 1024
"""Of a request's acts in one answer, beside all of its changes."""


async def inbox(cursor: Cursor, caller: Caller, body: words.Inbox) -> words.Requests:
    """List what waits for this person, or what they asked for."""
    after = int(body.mark or 0)
    rows = await store.inbox(cursor, caller, after, body.most + 1, mine=body.mine)
    kept = fitting(rows[: body.most])
    return words.Requests(kept, str(kept[-1].request) if len(kept) < len(rows) else "")


async def show(cursor: Cursor, caller: Caller, body: words.Show) -> words.Shown:
    """Show one request with its changes and history."""
    found = await store.show(cursor, caller, body.request)
    if found is None:
        raise Refused("NO_REQUEST", request=body.request)
    acts = fitting(found.acts[::-1], ACTS_BYTES)[::-1]
    if body.body:
        return words.Shown(found.waiting, [], acts, found.forwarded_to, found.body)
    rows = [words.Change(*row) for row in changes(found.before, found.after)]
    return words.Shown(found.waiting, rows, acts, found.forwarded_to)


def _answering(act: str) -> Carry:
    async def serve(cursor: Cursor, caller: Caller, body: words.Answer) -> words.Settled:
        return words.Settled(body.request, await store.answer(cursor, caller, body, act))

    return serve


async def forward(cursor: Cursor, caller: Caller, body: words.Forward) -> words.Settled:
    """Endorse a request and send it to somebody who holds the power."""
    state = await store.answer(cursor, caller, body, "FORWARDED", body.to)
    return words.Settled(body.request, state)


async def delegate(cursor: Cursor, caller: Caller, body: words.Delegate) -> words.Delegation:
    """Lend a power for a time."""
    try:
        first, last = (dt.date.fromisoformat(one) for one in (body.valid_from, body.valid_to))
    except ValueError:
        raise Refused("DELEGATION_DATES", days=DELEGATION_DAYS) from None
    number, begins, ends = await store.delegate(
        cursor, caller, body.to, body.power, first, last, DELEGATION_DAYS, body.reason
    )
    return words.Delegation(number, body.to, body.power, instant(begins), instant(ends))


async def end_delegation(
    cursor: Cursor, caller: Caller, body: words.EndDelegation
) -> words.Delegation:
    """Take a lent power back."""
    to, power, begins, ends = await store.end_delegation(cursor, caller, body.delegation)
    return words.Delegation(body.delegation, to, power, instant(begins), instant(ends))


def served(carry: Mapping[str, Carry], propose: Mapping[str, Propose]) -> dict[str, Carry]:
    """Give this room's operations, and the asking of every four-eyes operation in ``carry``."""
    room = Approvals(carry, propose)
    asked = {name: room.asking(_declared(name)) for name in carry}
    return {
        **asked,
        "approvals.inbox": inbox,
        "approvals.show": show,
        "approvals.approve": room.approve,
        "approvals.approve_many": room.approve_many,
        "approvals.reject": _answering("REJECTED"),
        "approvals.send_back": _answering("RETURNED"),
        "approvals.forward": forward,
        "approvals.withdraw": _answering("WITHDRAWN"),
        "approvals.edit": room.edit,
        "approvals.delegate": delegate,
        "approvals.end_delegation": end_delegation,
    }


def _declared(name: str) -> Operation:
    operation = CATALOGUE.get(name)
    assert operation is not None, name
    return operation


FUNCTIONS: Final[dict[str, tuple[str, ...]]] = {
    "approvals.inbox": ("inbox_v1",),
    "approvals.show": ("approval_v1",),
    "approvals.approve": ("approve_v1",),
    "approvals.approve_many": ("approve_v1",),
    "approvals.reject": ("answer_approval_v1",),
    "approvals.send_back": ("answer_approval_v1",),
    "approvals.forward": ("answer_approval_v1",),
    "approvals.withdraw": ("answer_approval_v1",),
    "approvals.edit": ("edit_approval_v1",),
    "approvals.delegate": ("delegate_v1",),
    "approvals.end_delegation": ("end_delegation_v1",),
}
