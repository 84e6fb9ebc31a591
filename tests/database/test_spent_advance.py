"""What went out of an advance does not go out again with the receipt that brought it: on a real
PostgreSQL.
"""

from __future__ import annotations

import pytest

from mpowerd.transfers import rules
from protocols.catalogue.payments import Verify
from protocols.catalogue.transfers import Move, Refund
from tests.database.officers import agreed, appoint, books
from tests.database.test_purposes import balance
from tests.database.town import DAY, OLD, RAM, SITA, Town, town
from tests.postgres_nodes import Node, on_reactor

WHY = "as the file says"
MOVE = "transfers.move"


async def ahead(t: Town, paise: int = 5_000) -> str:
    """Old Ramesh, with 70.00 in advance, pays more ahead in cash; its receipt."""
    number: str = (await t.pay("asha", OLD, paise, purpose="ADVANCE")).number
    await t.done("omar", "payments.verify", Verify("C001", DAY))
    return number


@pytest.mark.parametrize("by", ["the room", "the database"])
@pytest.mark.parametrize(
    ("first", "body"),
    [("transfers.refund", Refund(OLD, 8_000, WHY)), (MOVE, Move(OLD, SITA, 8_000, WHY))],
)
@on_reactor
async def test_a_receipt_whose_money_went_out_of_the_advance_is_not_moved(
    node: Node, monkeypatch: pytest.MonkeyPatch, first: str, body: Refund | Move, by: str
) -> None:
    """The database itself refuses what the room would let pass."""
    async with town(node) as t:
        appoint(t)
        receipt = await ahead(t)
        assert await agreed(t, first, body) == ""
        before = books(t)
        if by == "the database":
            monkeypatch.setattr(rules, "check_spent", lambda *_: None)
        assert await agreed(t, MOVE, Move(OLD, RAM, 5_000, WHY, receipt)) == "ADVANCE_SPENT"
        assert books(t) == before
        assert await agreed(t, MOVE, Move(OLD, RAM, 4_000, WHY)) == "", "what stands goes"
        assert balance(t, int(OLD) * 16 + 6) == 0
        t.is_well()


@on_reactor
async def test_a_receipt_in_an_advance_that_still_holds_it_moves_and_one_of_dues_needs_none(
    node: Node,
) -> None:
    async with town(node) as t:
        appoint(t)
        receipt = await ahead(t)
        assert await agreed(t, "transfers.refund", Refund(OLD, 7_000, WHY)) == ""
        assert await agreed(t, MOVE, Move(OLD, RAM, 5_000, WHY, receipt)) == ""
        dues = (await t.pay("asha", SITA, 30_000)).number
        await t.done("omar", "payments.verify", Verify("C001", DAY, [dues]))
        assert await agreed(t, MOVE, Move(SITA, RAM, 30_000, WHY, dues)) == ""
        t.is_well()
