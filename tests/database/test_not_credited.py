"""What came on paper and no bank has credited may still come back: it is neither refunded, nor paid
out, nor moved on but with its own receipt. On a real PostgreSQL.
"""

from __future__ import annotations

import pytest

from mpowerd.transfers import rules
from protocols.catalogue.approvals import Inbox, Show
from protocols.catalogue.body import Body
from protocols.catalogue.payments import Verify
from protocols.catalogue.remittance import MakeSlip, Realise
from protocols.catalogue.transfers import Match, Move, PayOut, Refund
from tests.database.officers import agreed, appoint, books
from tests.database.test_dishonour import BANK, DISHONOUR, returned
from tests.database.test_pay_out import owed
from tests.database.test_purposes import balance
from tests.database.test_returned_from_others import in_suspense
from tests.database.town import DAY, OLD, RAM, SITA, Town, town
from tests.postgres_nodes import Node, on_reactor

WHY = "as the file says"
MOVE, REFUND, PAY_OUT = "transfers.move", "transfers.refund", "transfers.pay_out"
DRAFT = 4_000


async def draft(t: Town, consumer: str = OLD, paise: int = DRAFT, mode: str = "DD") -> str:
    """Old Ramesh, with 70.00 in advance, pays 40.00 more ahead on paper; its receipt."""
    paper = {"mode": mode, "instrument": "204411", "dated": DAY}
    made = await t.pay("asha", consumer, paise, purpose="ADVANCE", **paper)
    await t.done("omar", "payments.verify", Verify("C001", DAY, [made.number]))
    return str(made.number)


async def credited(t: Town, paise: int = DRAFT) -> None:
    """The drafts go to the bank, and it credits them."""
    await t.close_shift("asha")
    slip = MakeSlip("HO", "DD", total_paise=paise)
    made = await t.done("omar", "remittance.make", slip)
    await t.done("omar", "remittance.realise", Realise(made.slip, DAY, "UTR1", paise))


@pytest.mark.parametrize("mode", ["CHEQUE", "DD", "POSTAL_ORDER"])
@pytest.mark.parametrize("by", ["the room", "the database"])
@pytest.mark.parametrize(
    ("operation", "whole", "free"),
    [
        (REFUND, Refund(OLD, 7_001, WHY), Refund(OLD, 7_000, WHY)),
        (MOVE, Move(OLD, RAM, 7_001, WHY), Move(OLD, RAM, 7_000, WHY)),
    ],
)
@on_reactor
async def test_paper_that_is_not_credited_does_not_leave_an_advance(
    node: Node,
    monkeypatch: pytest.MonkeyPatch,
    operation: str,
    whole: Body,
    free: Body,
    by: str,
    mode: str,
) -> None:
    """The database itself refuses what the room would let pass."""
    async with town(node) as t:
        appoint(t)
        number = await draft(t, mode=mode)
        before = books(t)
        if by == "the database":
            monkeypatch.setattr(rules, "check_advance", lambda *_: None)
        else:
            outcome = await t.ask("omar", operation, whole)
            assert outcome.refusal is not None
            assert "only Rs 70.00 can go now" in outcome.refusal[1]
            assert f"Rs 40.00 came on paper ({number})" in outcome.refusal[1]
        assert await agreed(t, operation, whole) == "ADVANCE_WAITS"
        assert books(t) == before
        assert await agreed(t, operation, free) == ""
        await t.done("omar", DISHONOUR, returned(number))
        assert balance(t, int(OLD) * 16 + 6) == 0, "what came back had gone nowhere"
        t.is_well()


@on_reactor
async def test_once_the_bank_has_credited_it_it_goes_like_any_other(node: Node) -> None:
    async with town(node) as t:
        appoint(t)
        await draft(t)
        await credited(t)
        assert await agreed(t, REFUND, Refund(OLD, 11_001, WHY)) == "OVER_ADVANCE"
        assert await agreed(t, REFUND, Refund(OLD, 11_000, WHY)) == ""
        t.is_well()


@on_reactor
async def test_it_waits_with_whoever_has_its_money(node: Node) -> None:
    """Moved with its receipt or matched out of suspense, it is no freer than it was."""
    async with town(node) as t:
        appoint(t)
        number = await draft(t)
        assert await agreed(t, REFUND, Refund(OLD, 7_000, WHY)) == ""
        assert await agreed(t, MOVE, Move(OLD, SITA, DRAFT, WHY, number)) == ""
        assert balance(t, int(SITA) * 16 + 3) == 26_000
        other = await draft(t, paise=50_000)
        assert await agreed(t, MOVE, Move(OLD, SITA, 50_000, WHY, other)) == ""
        assert await agreed(t, REFUND, Refund(SITA, 1, WHY)) == "ADVANCE_WAITS"
        leaf = await in_suspense(t, 70_000)
        await t.done("omar", "transfers.match", Match(leaf, RAM, WHY))
        assert await agreed(t, REFUND, Refund(RAM, 1, WHY)) == "ADVANCE_WAITS"
        t.is_well()


@on_reactor
async def test_a_receipt_in_cash_does_not_take_what_came_on_paper_with_it(node: Node) -> None:
    async with town(node) as t:
        appoint(t)
        cash = (await t.pay("asha", OLD, 3_000, purpose="ADVANCE")).number
        await t.done("omar", "payments.verify", Verify("C001", DAY))
        await draft(t)
        assert await agreed(t, REFUND, Refund(OLD, 10_000, WHY)) == ""
        assert await agreed(t, MOVE, Move(OLD, RAM, 3_000, WHY, cash)) == "ADVANCE_SPENT"
        t.is_well()


@on_reactor
async def test_whoever_approves_sees_what_waits(node: Node) -> None:
    async with town(node) as t:
        appoint(t)
        number = await draft(t)
        await t.done("omar", REFUND, Refund(OLD, 1_000, WHY))
        (one,) = (await t.read("ila", "approvals.inbox", Inbox())).requests
        shown = await t.read("ila", "approvals.show", Show(one.request))
        assert [(row.field, row.before, row.after) for row in shown.changes] == [
            ("advance", "Rs 110.00", f"Rs 100.00, Rs 40.00 of it not credited yet ({number})"),
        ]


@pytest.mark.parametrize("by", ["the room", "the database"])
@on_reactor
async def test_a_refund_of_what_came_back_since_is_not_paid_out(
    node: Node, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    async with town(node) as t:
        appoint(t)
        number = await draft(t)
        await credited(t)
        refund = await owed(t, 11_000)
        await t.done("omar", DISHONOUR, returned(number))
        stood = balance(t, BANK)
        body = PayOut(OLD, refund, 11_000, "CHEQUE", "000117", WHY)
        if by == "the database":
            monkeypatch.setattr(rules, "check_refund", lambda *_: None)
        assert await agreed(t, PAY_OUT, body) == "REFUND_UNCOVERED"
        assert balance(t, BANK) == stood
        t.is_well()
