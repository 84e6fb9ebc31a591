"""The charges' operations: raise one, withdraw one, when a second person has approved it."""

from __future__ import annotations

from typing import Any, Final

from mpowerd.approvals.rules import Proposal
from mpowerd.caller import Caller
from mpowerd.charges import store
from mpowerd.database import Cursor
from protocols.catalogue.charges import Raise, Raised, Withdraw
from protocols.refusals import Refused
from protocols.values import rupees


async def propose(cursor: Cursor, body: Raise) -> Proposal:
    """Say what would be charged, and to whom."""
    row = await store.consumer(cursor, int(body.consumer))
    if row is None:
        raise Refused("NO_CONSUMER", consumer=body.consumer)
    name, office = row
    after = {
        "name": name,
        body.head: rupees(body.amount_paise),
        "reference": body.reference,
    }
    before = {"name": name}
    about = f"consumer {body.consumer}"
    own = (body.consumer,)
    return Proposal(about, before, after, body.amount_paise, office, consumers=own)


async def raise_charge(cursor: Cursor, caller: Caller, body: Raise) -> Raised:
    """Raise a charge (approved)."""
    return Raised(await store.raise_charge(cursor, caller, body))


async def propose_withdrawal(cursor: Cursor, body: Withdraw) -> Proposal:
    """Say which charge would be withdrawn, and from whom."""
    row = await store.charge(cursor, body)
    if row is None:
        raise Refused("NO_CHARGE", reference=body.reference)
    name, office, paise, payable, withdrawn = row
    if withdrawn:
        raise Refused("CHARGE_WITHDRAWN", reference=body.reference)
    if payable < paise:
        unpaid, amount = rupees(max(payable, 0)), rupees(paise)
        raise Refused("CHARGE_PAID", reference=body.reference, amount=amount, payable=unpaid)
    before = {"name": name, body.head: rupees(paise), "reference": body.reference}
    after = {"name": name, body.head: rupees(0), "reference": body.reference}
    about, own = f"consumer {body.consumer}", (body.consumer,)
    return Proposal(about, before, after, paise, office, consumers=own)


async def withdraw_charge(cursor: Cursor, caller: Caller, body: Withdraw) -> Raised:
    """Withdraw a charge (approved)."""
    return Raised(await store.withdraw(cursor, caller, body))


SERVED: Final[dict[str, Any]] = {
    "charges.raise": raise_charge,
    "charges.withdraw": withdraw_charge,
}
PROPOSALS: Final[dict[str, Any]] = {
    "charges.raise": propose,
    "charges.withdraw": propose_withdrawal,
}
FUNCTIONS: Final[dict[str, tuple[str, ...]]] = {
    "charges.raise": ("consumer_v1", "raise_charge_v1"),
    "charges.withdraw": ("charge_v1", "withdraw_charge_v1"),
}
