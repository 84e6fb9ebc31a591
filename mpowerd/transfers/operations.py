"""The transfers' operations: what each would move is worked out when it is asked for and again when
it is approved, from what then stands.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from mpowerd.allocation import allocate
from mpowerd.approvals.rules import Proposal
from mpowerd.caller import Caller
from mpowerd.database import Cursor
from mpowerd.paging import fitting
from mpowerd.transfers import rules, store
from protocols.accounts import CODES
from protocols.catalogue.payments import HeadPosted
from protocols.catalogue.transfers import (
    AskRefunds,
    AskSuspense,
    Match,
    Matched,
    Move,
    Moved,
    PayOut,
    Refund,
    RefundLine,
    Refunds,
    SendUp,
    Suspense,
    SuspenseLine,
)
from protocols.refusals import Refused
from protocols.values import rupees


class Moving(NamedTuple):
    """A move between two consumers, worked out."""

    source: rules.Standing
    receipt: int | None
    value_day: Any
    legs: list[rules.Leg]
    advance_paise: int
    """What of it leaves the advance."""


async def _moving(cursor: Cursor, body: Move) -> Moving:
    if body.to == body.consumer:
        raise Refused("SAME_CONSUMER", consumer=body.consumer)
    posted = await store.posted(cursor, body.receipt, body.to) if body.receipt else None
    if posted is not None:
        rules.check_posted(posted, body)
    day = posted.day if posted else None
    first, second = sorted((body.consumer, body.to))  # held in the order of all
    leaving = {body.consumer: posted.receipt if posted else None}
    held = {
        one: await store.standing(cursor, one, day, leaving.get(one)) for one in (first, second)
    }
    source, target = held[body.consumer], held[body.to]
    if posted is None:
        rules.check_advance(source, body.amount_paise)
        leaves = [("ADVANCE", body.amount_paise)]
    else:
        rules.check_spent(source, body.receipt, posted.heads.get("ADVANCE", 0))
        leaves = list(posted.heads.items())
    arrives = allocate(body.amount_paise, target.heads, [*target.order, "ADVANCE"])
    legs = rules.between(body.consumer, leaves, body.to, arrives)
    advance = sum(part for head, part in leaves if head == "ADVANCE")
    return Moving(source, posted.receipt if posted else None, day, legs, advance)


async def propose_move(cursor: Cursor, body: Move) -> Proposal:
    """Say what would move from whom to whom."""
    moving = await _moving(cursor, body)
    stood = moving.source.advance_paise
    left = rules.left(moving.source, moving.advance_paise)
    before = {"advance": rupees(stood)}
    after = {"advance": left, f"to {body.to}": rupees(body.amount_paise)}
    if body.receipt:
        after["receipt"] = body.receipt
    office = moving.source.office
    about, own = f"consumer {body.consumer}", (body.consumer, body.to)
    return Proposal(about, before, after, body.amount_paise, office, consumers=own)


async def move(cursor: Cursor, caller: Caller, body: Move) -> Moved:
    """Move money between consumers (approved)."""
    moving = await _moving(cursor, body)
    order = store.Order("transfers.move", "MOVE", int(body.consumer), int(body.to))
    said = (moving.receipt, moving.legs, moving.value_day, body.amount_paise)
    return Moved(await store.transfer(cursor, caller, order, *said, body.receipt, body.reason))


async def propose_send_up(cursor: Cursor, body: SendUp) -> Proposal:
    """Say what would go up to head office."""
    _, office, paise = await _fund(cursor, body)
    fund = str(body.fund)
    before = {fund: rupees(paise)}
    after = {fund: rupees(paise - body.amount_paise), "reference": body.reference}
    return Proposal(f"counter {body.counter}", before, after, body.amount_paise, office)


async def _fund(cursor: Cursor, body: SendUp) -> tuple[int, str, int]:
    found = await store.fund(cursor, body.counter, CODES[body.fund].slot)
    if found is None:
        raise Refused("NO_COUNTER", counter=body.counter)
    if body.amount_paise > found[2]:
        raise Refused("OVER_FUND", amount=rupees(body.amount_paise), there=rupees(found[2]))
    return found


async def send_up(cursor: Cursor, caller: Caller, body: SendUp) -> Moved:
    """Send funds up to head office (approved): both legs in one voucher."""
    account, _, _ = await _fund(cursor, body)
    part = body.amount_paise
    legs = [
        (rules.BETWEEN_OFFICES, account, part),
        (rules.BANK, rules.BETWEEN_OFFICES, part),
    ]
    order = store.Order("transfers.send_up", "SENT_UP", None, None)
    said = (None, legs, None, part, body.reference, body.reason)
    return Moved(await store.transfer(cursor, caller, order, *said))


async def propose_refund(cursor: Cursor, body: Refund) -> Proposal:
    """Say what would be given back of an advance."""
    stands = await store.standing(cursor, body.consumer, None)
    rules.check_advance(stands, body.amount_paise)
    before = {"advance": rupees(stands.advance_paise)}
    after = {"advance": rules.left(stands, body.amount_paise)}
    about = f"consumer {body.consumer}"
    own = (body.consumer,)
    return Proposal(about, before, after, body.amount_paise, stands.office, consumers=own)


async def refund(cursor: Cursor, caller: Caller, body: Refund) -> Moved:
    """Give an advance back (approved)."""
    stands = await store.standing(cursor, body.consumer, None)
    rules.check_advance(stands, body.amount_paise)
    legs = [(rules.account(body.consumer, "ADVANCE"), rules.REFUNDS, body.amount_paise)]
    order = store.Order("transfers.refund", "REFUND", int(body.consumer), None)
    said = (None, legs, None, body.amount_paise, "", body.reason)
    return Moved(await store.transfer(cursor, caller, order, *said))


async def propose_pay_out(cursor: Cursor, body: PayOut) -> Proposal:
    """Say which refund would be paid, and to whom."""
    found = await store.refund(cursor, body.consumer, body.refund)
    rules.check_refund(found, body)
    owed = f"{rupees(found.paise)} to {found.name}"
    before, after = {"payable": owed}, {"payable": "nothing", "paid": owed}
    after |= {"mode": body.mode, "reference": body.reference}
    about, own = f"consumer {body.consumer}", (body.consumer,)
    return Proposal(about, before, after, found.paise, found.office, consumers=own)


async def pay_out(cursor: Cursor, caller: Caller, body: PayOut) -> Moved:
    """Pay a refund out of the bank account (approved)."""
    rules.check_refund(await store.refund(cursor, body.consumer, body.refund), body)
    return Moved(await store.pay_out(cursor, caller, body))


async def refunds(cursor: Cursor, caller: Caller, body: AskRefunds) -> Refunds:
    """Show what waits to be paid out, or what the bank was told to pay."""
    rows = await store.refunds(cursor, body)
    said: list[list[Any]] = [[row[0], str(row[1]), *row[2:]] for row in rows[: body.most]]
    kept = fitting([RefundLine(*one) for one in said])
    return Refunds(kept, len(kept) < len(rows))


async def suspense(cursor: Cursor, caller: Caller, body: AskSuspense) -> Suspense:
    """Show what lies in a bank's suspense."""
    rows = await store.suspense(cursor, body.bank, body.after, body.most)
    lines = [
        SuspenseLine(place, number, str(day), reference, said, str(value_date), paise)
        for place, number, day, reference, said, value_date, paise in rows[: body.most]
    ]
    kept = fitting(lines)
    return Suspense(kept, len(kept) < len(rows))


async def match(cursor: Cursor, caller: Caller, body: Match) -> Matched:
    """Give money in suspense to its consumer."""
    found = await store.suspended(cursor, body.receipt)
    if found is None:
        raise Refused("NOT_IN_SUSPENSE", receipt=body.receipt)
    receipt, day, paise, state = found
    if state != "TAKEN":
        raise Refused("NOT_IN_SUSPENSE", receipt=body.receipt)
    stands = await store.standing(cursor, body.consumer, day)
    parts = allocate(paise, stands.heads, [*stands.order, "ADVANCE"])
    suspended = -((receipt >> 38) * 16 + CODES["SUSPENSE"].slot)
    legs = [(suspended, rules.account(body.consumer, head), part) for head, part in parts]
    legs += rules.collected(parts)
    voucher = await store.match(cursor, caller, receipt, int(body.consumer), legs, body.reason)
    posted = [HeadPosted(head, part) for head, part in parts]
    return Matched(voucher, body.receipt, body.consumer, posted)


SERVED: Final[dict[str, Any]] = {
    "transfers.move": move,
    "transfers.send_up": send_up,
    "transfers.refund": refund,
    "transfers.pay_out": pay_out,
    "transfers.refunds": refunds,
    "transfers.suspense": suspense,
    "transfers.match": match,
}
PROPOSALS: Final[dict[str, Any]] = {
    "transfers.move": propose_move,
    "transfers.send_up": propose_send_up,
    "transfers.refund": propose_refund,
    "transfers.pay_out": propose_pay_out,
}
FUNCTIONS: Final[dict[str, tuple[str, ...]]] = {
    "transfers.move": ("posted_receipt_v1", "advance_v1", "transfer_v1"),
    "transfers.send_up": ("fund_v1", "transfer_v1"),
    "transfers.refund": ("advance_v1", "transfer_v1"),
    "transfers.pay_out": ("refund_v1", "pay_out_v1"),
    "transfers.refunds": ("refunds_v1",),
    "transfers.suspense": ("suspense_v1",),
    "transfers.match": ("suspended_v1", "advance_v1", "match_suspense_v1"),
}
