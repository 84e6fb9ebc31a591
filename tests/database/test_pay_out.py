"""A refund that is payable is paid out of the bank, whole, once, by two: on a real PostgreSQL."""

from __future__ import annotations

import asyncio

import psycopg
import pytest
from psycopg import errors

from mpowerd.refusals import refusal_of
from protocols.catalogue.approvals import Approve, Inbox, Show
from protocols.catalogue.ledger import Ask
from protocols.catalogue.transfers import AskRefunds, PayOut, Refund
from protocols.refusals import Refused
from tests.database.officers import agreed, appoint, books
from tests.database.test_purposes import balance
from tests.database.town import DAY, OLD, RAM, Town, town
from tests.postgres_nodes import Node, on_reactor

WHY = "moved away"
PAY_OUT = "transfers.pay_out"
BANK, REFUNDS = -2, -8


async def owed(t: Town, paise: int = 5_000) -> int:
    """A refund is payable to old Ramesh; its voucher."""
    assert await agreed(t, "transfers.refund", Refund(OLD, paise, WHY)) == ""
    waiting = await t.read("omar", "transfers.refunds", AskRefunds("HO"))
    return int(waiting.lines[-1].refund)


def pay(refund: int, paise: int = 5_000, consumer: str = OLD, cheque: str = "000117") -> PayOut:
    return PayOut(consumer, refund, paise, "CHEQUE", cheque, WHY)


@on_reactor
async def test_a_refund_is_paid_out_and_the_bank_is_told(node: Node) -> None:
    async with town(node) as t:
        appoint(t)
        refund = await owed(t)
        assert (balance(t, BANK), balance(t, REFUNDS)) == (0, -5_000)
        assert await agreed(t, PAY_OUT, pay(refund)) == ""
        assert (balance(t, BANK), balance(t, REFUNDS)) == (-5_000, 0)
        waiting = await t.read("omar", "transfers.refunds", AskRefunds("HO"))
        assert waiting.lines == []
        (line,) = (await t.read("omar", "transfers.refunds", AskRefunds("HO", paid=True))).lines
        assert (line.consumer, line.name, line.amount_paise, line.mode, line.reference) == (
            *(OLD, "Ramesh Old", 5_000, "CHEQUE", "000117"),
        )
        assert t.look("SELECT kind FROM mpower.vouchers WHERE voucher = %s", line.payout) == [
            ("PAID_OUT",)
        ]
        t.is_well()


@on_reactor
async def test_the_consumers_statement_says_whether_when_and_how_it_was_paid(node: Node) -> None:
    async with town(node) as t:
        appoint(t)
        refund = await owed(t)
        line = (await t.read("asha", "ledger.statement", Ask(OLD, most=9))).lines[-1]
        assert (line.kind, line.paid, line.rule) == (
            *("REFUND", ""),
            "out of the advance; not paid out yet",
        )
        assert await agreed(t, PAY_OUT, pay(refund)) == ""
        ((payout,),) = t.look("SELECT voucher FROM mpower.payouts")
        (*_, line) = (await t.read("asha", "ledger.statement", Ask(OLD, most=9))).lines
        assert (line.kind, line.paid, line.rule) == (
            *("REFUND", "CHEQUE 000117"),
            f"out of the advance; paid out on {DAY} by V-{payout}",
        )


@on_reactor
async def test_whoever_approves_reads_what_is_paid_to_whom_and_how(node: Node) -> None:
    async with town(node) as t:
        appoint(t)
        await t.done("omar", PAY_OUT, pay(await owed(t)))
        (one,) = (await t.read("ila", "approvals.inbox", Inbox())).requests
        shown = await t.read("ila", "approvals.show", Show(one.request))
        assert [(row.field, row.before, row.after) for row in shown.changes] == [
            ("mode", "", "CHEQUE"),
            ("paid", "", "Rs 50.00 to Ramesh Old"),
            ("payable", "Rs 50.00 to Ramesh Old", "nothing"),
            ("reference", "", "000117"),
        ]


@on_reactor
async def test_what_is_not_owed_is_not_paid_and_nothing_changes(node: Node) -> None:
    async with town(node) as t:
        appoint(t)
        refund = await owed(t)
        before = books(t)
        for body, code in (
            (pay(refund + 1_000), "NO_REFUND"),
            (pay(refund - 1), "NO_REFUND"),
            (pay(refund, consumer=RAM), "NO_REFUND"),
            (pay(refund, 4_999), "REFUND_WHOLE"),
            (pay(refund, 5_001), "REFUND_WHOLE"),
        ):
            assert await agreed(t, PAY_OUT, body) == code, body
        assert (await t.ask("omar", PAY_OUT, pay(refund))).refusal is None
        assert books(t) == before, "one alone pays nothing"
        t.is_well()


@on_reactor
async def test_two_that_were_asked_for_at_once_pay_it_once(node: Node) -> None:
    async with town(node) as t:
        appoint(t)
        refund = await owed(t)
        for cheque in ("000117", "000118"):
            assert (await t.ask("omar", PAY_OUT, pay(refund, cheque=cheque))).refusal is None
        waiting = (await t.read("ila", "approvals.inbox", Inbox())).requests
        assert len(waiting) == 2
        both = await asyncio.gather(
            *(
                t.ask("ila", "approvals.approve", Approve(one.request, one.version, one.content))
                for one in waiting
            )
        )
        assert sorted(one.refusal is None for one in both) == [False, True]
        assert (balance(t, BANK), balance(t, REFUNDS)) == (-5_000, 0)
        assert await agreed(t, PAY_OUT, pay(refund)) == "REFUND_PAID"
        t.is_well()


@on_reactor
async def test_the_database_itself_pays_no_refund_alone_or_twice(node: Node) -> None:
    async with town(node) as t:
        appoint(t)
        refund = await owed(t)
        alone = "SELECT mpower.pay_out_v1('\\x00', 3, %s, 'CHEQUE', '000117', 'mine')"
        with pytest.raises(errors.InsufficientPrivilege):
            t.look(alone, refund)
        assert await agreed(t, PAY_OUT, pay(refund)) == ""
        again = (
            "INSERT INTO mpower.payouts SELECT refund, refund, mode, reference, reason"
            " FROM mpower.payouts RETURNING 1"
        )
        with pytest.raises(errors.UniqueViolation) as twice:
            t.look(again)
        refused = refusal_of(twice.value)
        assert isinstance(refused, Refused)
        assert refused.code == "REFUND_PAID"


@on_reactor
async def test_a_payout_that_is_taken_out_of_the_books_is_found(node: Node) -> None:
    async with town(node) as t:
        appoint(t)
        refund = await owed(t)
        assert await agreed(t, PAY_OUT, pay(refund)) == ""
        with psycopg.connect(t.superuser, autocommit=True) as base:
            base.execute(b"ALTER TABLE mpower.payouts DISABLE TRIGGER USER")
            base.execute(b"DELETE FROM mpower.payouts")
        rules = [what for what, *_ in t.look("SELECT * FROM mpower.ledger_check_v1()")]
        assert rules == ["refunds payable are those that were not paid out"]
