"""The charges' operation: raise one, when a second person has approved it."""

from __future__ import annotations

from typing import Any, Final

from mpowerd.approvals.rules import Proposal
from mpowerd.caller import Caller
from mpowerd.charges import store
from mpowerd.database import Cursor
from protocols.catalogue.charges import Raise, Raised
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
    return Proposal(f"consumer {body.consumer}", before, after, body.amount_paise, office)


async def raise_charge(cursor: Cursor, caller: Caller, body: Raise) -> Raised:
    """Raise a charge (approved)."""
    return Raised(await store.raise_charge(cursor, caller, body))


SERVED: Final[dict[str, Any]] = {"charges.raise": raise_charge}
PROPOSALS: Final[dict[str, Any]] = {"charges.raise": propose}
FUNCTIONS: Final[dict[str, tuple[str, ...]]] = {
    "charges.raise": ("consumer_v1", "raise_charge_v1"),
}
