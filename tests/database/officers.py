"""Two officers who hold the powers over money: one asks, the other approves."""

from __future__ import annotations

from protocols.catalogue.approvals import Approve
from protocols.catalogue.body import Body
from protocols.operation import Role
from tests.database.town import Town, add_people, decoded

MORE = {"ila": ("E-ILA", Role.OFFICER, "counter/C001")}
GRANT = (
    "INSERT INTO mpower.powers (person, power, most, office, valid_from, granted_at)"
    " VALUES (%s, %s, NULL, 'HO', current_date, now()) RETURNING 1"
)
BOOKS = "SELECT md5(string_agg(a::text, ',' ORDER BY account)) FROM mpower.accounts a"


def appoint(t: Town) -> None:
    """Ila, a second officer; she holds the powers over charges, transfers and refunds."""
    add_people(t, MORE)
    for power in ("CHARGE", "TRANSFER", "REFUND"):
        t.look(GRANT, "E-ILA", power)


async def agreed(t: Town, operation: str, body: Body) -> str:
    """Omar asks, Ila approves; the code of a refusal of either, '' when it was done."""
    asked = await t.ask("omar", operation, body)
    if asked.refusal is not None:
        return asked.refusal[0]
    pending = decoded(operation, asked)
    approve = Approve(pending.request, pending.version, pending.content)
    outcome = await t.ask("ila", "approvals.approve", approve)
    return outcome.refusal[0] if outcome.refusal else ""


def books(t: Town) -> str:
    """All balances as one word."""
    ((said,),) = t.look(BOOKS)
    return str(said)
