"""What is shown of money after it was taken: a return's notice, suspense, what waits for a second
officer. Plain text; pure. This file must not know who shows it.
"""

from __future__ import annotations

from typing import Any

from clients.counter.fitting import fit
from protocols.catalogue.approvals import Pending
from protocols.catalogue.instruments import Dishonoured, ReturnedAll, ReturnedOne
from protocols.catalogue.transfers import Matched, RefundLine, Refunds, Suspense
from protocols.values import rupees


def text_of(reply: Any) -> str:
    """Write an answer about money."""
    match reply:
        case Pending():
            return (
                f"Request {reply.request} waits for a second officer who holds {reply.power} in"
                f" {reply.office}, until {reply.due_at}. Nothing has moved yet.\n"
                f"To change it: mpower approvals edit {reply.request}; that voids what was said"
                " about it until then."
            )
        case Dishonoured():
            return "\n".join([_taken_back(reply), "", *reply.notice])
        case ReturnedAll():
            lines = [_returned(one) for one in reply.instruments]
            return "\n".join(lines) or "No instrument of this consumer has come back."
        case Suspense():
            lines = [
                f"{one.receipt:<20}{one.value_date:<12}{fit(one.said, 20)}  "
                f"{rupees(one.amount_paise):>18}  {one.reference}"
                for one in reply.lines
            ]
            more = ["There are more."] if reply.more else []
            return "\n".join([*lines, *more]) or "Nothing lies in suspense there."
        case Refunds():
            lines = [_refund(one) for one in reply.lines]
            total = sum(one.amount_paise for one in reply.lines)
            more = ["There are more."] if reply.more else []
            said = [*lines, f"{len(lines)} in all, {rupees(total)}.", *more]
            return "\n".join(said) if lines else "No refund there."
    assert isinstance(reply, Matched), reply
    heads = ", ".join(f"{one.head} {rupees(one.amount_paise)}" for one in reply.heads)
    return f"Receipt {reply.receipt} is consumer {reply.consumer}'s: {heads}."


def _taken_back(reply: Dishonoured) -> str:
    until = f" No cheque is taken until {reply.no_cheque_until}." if reply.no_cheque_until else ""
    return (
        f"Receipt {reply.receipt} over {rupees(reply.amount_paise)} is taken back; charged are"
        f" {rupees(reply.charge_paise)} and {rupees(reply.surcharge_paise)} surcharge.{until}"
    )


def _refund(one: RefundLine) -> str:
    paid = f"  {one.mode} {one.reference} (V-{one.payout})" if one.payout else ""
    who = f"{one.consumer}  {one.name[:30]:<31}"
    return f"V-{one.refund:<10}{one.day:<12}{who}{rupees(one.amount_paise):>18}{paid}"


def _returned(one: ReturnedOne) -> str:
    paid = f"{one.mode} {one.instrument}, {rupees(one.amount_paise)}"
    return f"{one.returned_on}  {one.receipt}  {paid}: {one.reason} ({one.by})"
