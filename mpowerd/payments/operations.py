"""The payments' operations but the taking, which goes in batches through ``store.take_batch``.

Verification is arithmetic people argue about: the database says what was received and what stands
under the heads, the rules allocate, one set-based call posts. An officer does not verify or cancel
what the same person took.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from mpowerd.allocation import allocate, as_told, order_of
from mpowerd.caller import Caller
from mpowerd.database import Cursor
from mpowerd.outcomes import instant
from mpowerd.paging import fitting
from mpowerd.payments import verification
from mpowerd.payments.rules import objection_to_verify, parsed
from protocols.catalogue.payments import (
    Cancel,
    Cancelled,
    Duplicate,
    HeadPosted,
    Mine,
    Part,
    Receipt,
    Receipts,
    Verified,
    Verify,
)
from protocols.heads import HEAD_SLOTS, HEADS
from protocols.refusals import Refused


async def mine(cursor: Cursor, caller: Caller, body: Mine) -> Receipts:
    """Give my receipts of the open day, newest first, with count and total of all of them."""
    rows = await verification.my_receipts(cursor, caller.counter, caller.user, body.limit)
    receipts = [
        Receipt(number, str(day), instant(at), *rest)
        for number, day, at, *rest, _count, _total in rows
    ]
    return Receipts(fitting(receipts), rows[0][-2] if rows else 0, rows[0][-1] if rows else 0)


async def duplicate(cursor: Cursor, caller: Caller, body: Duplicate) -> Receipt:
    """Give a receipt of this counter once more; its key is the audit's entry of the print."""
    found = await verification.again(cursor, caller.counter, parsed(body.receipt))
    if found is None:
        raise Refused("NO_RECEIPT", receipt=body.receipt)
    number, day, at, *rest = found
    return Receipt(number, str(day), instant(at), *rest)


async def cancel(cursor: Cursor, caller: Caller, body: Cancel) -> Cancelled:
    """Cancel a receipt of the open day."""
    amount = await verification.cancel(
        cursor, parsed(body.receipt), caller.counter, caller.user, caller.person, body.reason
    )
    return Cancelled(body.receipt, amount)


async def verify(cursor: Cursor, caller: Caller, body: Verify) -> Verified:
    """Verify and post a counter's receipts of one date, or the named ones; all or none. More than
    one transaction may hold are only asked for: they are verified in steps.
    """
    found = await verification.unverified(cursor, body.counter, body.date, body.receipts)
    if len(found) > verification.STEP:
        return await _in_steps(cursor, caller, body)
    _judge(found, caller, body)
    told = _told(found, body.parts)
    lines, heads = allotted(found, told)
    split = [one.receipt for one in found if one.number in told]
    await verification.post(cursor, caller.user, [one.receipt for one in found], lines, split)
    posted = [HeadPosted(head, heads[head]) for head in HEADS if heads[head]]
    return Verified(len(found), sum(heads.values()), posted)


async def _in_steps(cursor: Cursor, caller: Caller, body: Verify) -> Verified:
    if body.parts:
        raise Refused("SPLIT_UNNAMED", counter=body.counter, most=verification.STEP)
    day = verification.day_of(body.counter, body.date)
    number = await verification.ask(cursor, caller.user, caller.person, day, body.counter)
    return Verified(0, 0, [], number)


def allotted(
    found: Sequence[verification.Unverified],
    told: Mapping[str, Sequence[tuple[str, int]]] = {},
) -> tuple[list[tuple[int, int, int]], dict[str, int]]:
    """Split receipts over the heads, one after the other: lines (receipt, slot, paise), and the
    sum of each head. ``told``: the parts of the receipts that an officer splits otherwise.
    """
    dues: dict[int, dict[str, int]] = {}
    lines: list[tuple[int, int, int]] = []
    heads: defaultdict[str, int] = defaultdict(int)
    for one in found:
        owed = dues.setdefault(
            one.consumer,
            {HEADS[slot - 1]: p for slot, p in zip(one.slots, one.balances, strict=True)},
        )
        if parts := told.get(one.number):
            split = as_told(one.number, one.purpose, one.amount_paise, owed, parts)
        else:
            order = order_of(one.purpose, one.allocation.split(","))
            split = allocate(one.amount_paise, owed, order)
        for head, paise in split:
            lines.append((one.receipt, HEAD_SLOTS[head], paise))
            owed[head] = owed.get(head, 0) - paise
            heads[head] += paise
    return lines, heads


def _told(
    found: Sequence[verification.Unverified], parts: Sequence[Part]
) -> dict[str, list[tuple[str, int]]]:
    """Gather an officer's parts by receipt; refuses one that is not being verified."""
    numbers = {one.number for one in found}
    told: dict[str, list[tuple[str, int]]] = {}
    for part in parts:
        if part.receipt not in numbers:
            raise Refused("NO_RECEIPT", receipt=part.receipt)
        told.setdefault(part.receipt, []).append((part.head, part.amount_paise))
    return told


def _judge(found: list[verification.Unverified], caller: Caller, body: Verify) -> None:
    """Refuse the whole verification for the first receipt this person may not verify."""
    if not found and not body.receipts:
        raise Refused("NOTHING_TO_VERIFY", counter=body.counter, date=body.date)
    there = {one.number for one in found}
    for number in body.receipts:
        if number not in there:
            raise Refused("NO_RECEIPT", receipt=number)
    for one in found:
        code = objection_to_verify(one.state, one.person, one.owners, caller.person)
        if str(one.day) != body.date or not one.number.startswith(f"{body.counter}/"):
            code = "NO_RECEIPT"
        if code:
            raise Refused(code, receipt=one.number, consumer=f"{one.consumer:010}")


SERVED: Final[dict[str, Any]] = {
    "payments.mine": mine,
    "payments.duplicate": duplicate,
    "payments.cancel": cancel,
    "payments.verify": verify,
}
FUNCTIONS: Final[dict[str, tuple[str, ...]]] = {
    "payments.take": ("take_payments_v1", "outcomes_v1"),
    "payments.mine": ("my_receipts_v1",),
    "payments.duplicate": ("receipt_again_v1",),
    "payments.cancel": ("cancel_receipt_v1",),
    "payments.verify": ("unverified_v1", "post_receipts_v1", "ask_verification_v1"),
}
