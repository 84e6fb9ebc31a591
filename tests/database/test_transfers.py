"""Charges are raised, money moves between consumers, out of suspense, up and back: on a real
PostgreSQL, with four eyes.
"""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from psycopg import errors

from protocols.catalogue.approvals import Approve, Inbox
from protocols.catalogue.banking import Line, Post
from protocols.catalogue.charges import ChargedHead, Raise, Withdraw
from protocols.catalogue.consumers import Dues
from protocols.catalogue.ledger import Ask
from protocols.catalogue.payments import Take, Verify
from protocols.catalogue.transfers import AskSuspense, Match, Move, Refund, SendUp
from protocols.heads import HEAD_SLOTS
from tests.database.officers import agreed, appoint, books
from tests.database.test_purposes import balance, judged
from tests.database.town import DAY, OLD, RAM, SITA, Town, town
from tests.postgres_nodes import Node, on_reactor

WHY = "as the file says"
NEXT_DAY = "2026-11-25"


async def heads(t: Town, consumer: str) -> dict[str, int]:
    dues = await t.read("asha", "consumers.dues", Dues(consumer))
    return {one.head: one.due_paise for one in dues.heads}


@on_reactor
async def test_a_charge_is_owed_when_two_have_agreed_and_paid_under_its_purpose(node: Node) -> None:
    async with town(node) as t:
        appoint(t)
        for head, purpose, paise in (
            ("DEMAND_NOTE", "NON_ENERGY", 1_000),
            ("SUNDRY", "SUNDRY", 2_000),
            ("THEFT", "THEFT", 3_000),
            ("COMPOUNDING", "COMPOUNDING", 4_000),
        ):
            assert await judged(t, Take(SITA, paise, purpose=purpose)) == ["OVER_HEAD"]  # type: ignore[arg-type]
            body = Raise(SITA, head, paise, "N-7", WHY)  # type: ignore[arg-type]
            assert await agreed(t, "charges.raise", body) == ""
            assert await judged(t, Take(SITA, paise, purpose=purpose)) == [""]  # type: ignore[arg-type]
        assert (balance(t, -7), balance(t, -10)) == (-6_000, -6_500)
        await t.done("omar", "payments.verify", Verify("C001", DAY))
        assert balance(t, -6) == -4_000
        t.is_well()


@pytest.mark.parametrize(
    ("head", "paise"), [("SUNDRY", 2_000), ("THEFT", 4_000), ("COMPOUNDING", 6_500)]
)
@on_reactor
async def test_a_charge_raised_by_mistake_is_withdrawn_by_two(
    node: Node, head: ChargedHead, paise: int
) -> None:
    async with town(node) as t:
        appoint(t)
        before = books(t)
        body = Raise(SITA, head, paise, "ORD-1", WHY)
        back = Withdraw(SITA, head, "ORD-1", "another consumer's")
        assert await t.refused("omar", "charges.withdraw", back) == "NO_CHARGE"
        assert await agreed(t, "charges.raise", body) == ""
        assert books(t) != before
        assert await agreed(t, "charges.withdraw", back) == ""
        account = int(SITA) * 16 + HEAD_SLOTS[head]
        stands = "SELECT balance_paise, owed_paise FROM mpower.accounts WHERE account = %s"
        assert t.look(stands, account) == [(0, 0)]
        assert (balance(t, -7), balance(t, -10)) == (0, -2_500), "the town's own duty"
        assert await t.refused("omar", "charges.withdraw", back) == "CHARGE_WITHDRAWN"
        assert await agreed(t, "charges.raise", body) == "CHARGE_KNOWN"
        said = await t.read("omar", "ledger.statement", Ask(SITA, most=10))
        assert [(one.kind, "ORD-1" in one.about) for one in said.lines][-2:] == [
            ("CHARGE", True),
            ("WITHDRAWAL", True),
        ]
        t.is_well()


@on_reactor
async def test_an_instalment_plan_is_withdrawn_into_arrears_and_a_paid_charge_is_not(
    node: Node,
) -> None:
    async with town(node) as t:
        appoint(t)
        assert await agreed(t, "charges.raise", Raise(RAM, "INSTALMENT", 9_000, "P-1", WHY)) == ""
        assert await agreed(t, "charges.withdraw", Withdraw(RAM, "INSTALMENT", "P-1", WHY)) == ""
        assert (balance(t, int(RAM) * 16 + 2), balance(t, int(RAM) * 16 + 7)) == (10_000, 0)
        assert await agreed(t, "charges.raise", Raise(SITA, "SUNDRY", 500, "S-1", WHY)) == ""
        back = Withdraw(SITA, "SUNDRY", "S-1", WHY)
        asked = await t.ask("omar", "charges.withdraw", back)
        assert asked.refusal is None
        await t.pay("asha", SITA, 1, purpose="SUNDRY")
        assert await t.refused("omar", "charges.withdraw", replace(back, reason="again")) == (
            "CHARGE_PAID"
        )
        pending = (await t.read("omar", "approvals.inbox", Inbox(mine=True))).requests[0]
        approve = Approve(pending.request, pending.version, pending.content)
        late = await t.ask("ila", "approvals.approve", approve)
        assert late.refusal is not None, "paid between the asking and the approval"
        assert balance(t, int(SITA) * 16 + 9) == 500
        t.is_well()


@on_reactor
async def test_a_withdrawn_charge_was_never_owed_whenever_it_is_withdrawn(node: Node) -> None:
    """What is late from its day on would else run until the mistake was seen."""
    async with town(node) as t:
        appoint(t)
        assert await agreed(t, "charges.raise", Raise(SITA, "THEFT", 4_000, "ORD-1", WHY)) == ""
        await t.close_day(DAY)
        await t.open_day(NEXT_DAY)
        assert await agreed(t, "charges.withdraw", Withdraw(SITA, "THEFT", "ORD-1", WHY)) == ""
        withdrawal = "SELECT day, value_day FROM mpower.vouchers WHERE kind = 'WITHDRAWAL'"
        ((day, owed_from),) = t.look(withdrawal)
        assert (str(day), str(owed_from)) == (NEXT_DAY, DAY)
        t.is_well()


@on_reactor
async def test_a_note_is_charged_once_whoever_asks_again(node: Node) -> None:
    async with town(node) as t:
        appoint(t)
        body = Raise(SITA, "THEFT", 3_000, "ORD-1", WHY)
        assert await agreed(t, "charges.raise", body) == ""
        assert await agreed(t, "charges.raise", body) == "CHARGE_KNOWN"
        other = Raise(SITA, "THEFT", 4_000, "ORD-1", "read once more")
        assert await agreed(t, "charges.raise", other) == "CHARGE_KNOWN"
        assert (await heads(t, SITA))["THEFT"] == 3_000
        assert await agreed(t, "charges.raise", Raise(SITA, "SUNDRY", 3_000, "ORD-1", WHY)) == ""
        t.is_well()


@on_reactor
async def test_a_plan_moves_arrears_and_no_more(node: Node) -> None:
    async with town(node) as t:
        appoint(t)
        over = Raise(RAM, "INSTALMENT", 10_001, "P-1", WHY)
        assert await agreed(t, "charges.raise", over) == "OVER_ARREARS"
        assert await agreed(t, "charges.raise", Raise(RAM, "INSTALMENT", 9_000, "P-1", WHY)) == ""
        assert (await heads(t, RAM))["ARREARS"] == 1_000
        assert (await heads(t, RAM))["INSTALMENT"] == 9_000
        dues = await t.read("asha", "consumers.dues", Dues(RAM))
        assert (dues.total_paise, dues.payable_paise) == (63_000, 54_000)
        t.is_well()


@on_reactor
async def test_nobody_moves_money_alone(node: Node) -> None:
    async with town(node) as t:
        appoint(t)
        before = books(t)
        await t.done("omar", "transfers.refund", Refund(OLD, 1_000, WHY))
        assert books(t) == before
        refund = "'transfers.refund', 'REFUND', '\\x00', 1, NULL, NULL, '{}', '{}', '{}', NULL"
        for call in (
            "SELECT mpower.raise_charge_v1('\\x00', 1, 9, 5, 'x', 'y')",
            f"SELECT mpower.transfer_v1({refund}, 1, '', '')",
        ):
            with pytest.raises(errors.InsufficientPrivilege):
                t.look(call)


@on_reactor
async def test_a_refund_is_of_an_advance_and_of_no_more(node: Node) -> None:
    async with town(node) as t:
        appoint(t)
        assert await agreed(t, "transfers.refund", Refund(OLD, 7_001, WHY)) == "OVER_ADVANCE"
        assert await agreed(t, "transfers.refund", Refund(RAM, 1, WHY)) == "OVER_ADVANCE"
        assert await agreed(t, "transfers.refund", Refund(OLD, 5_000, WHY)) == ""
        assert (balance(t, -8), (await heads(t, OLD))) == (-5_000, {"ADVANCE": -2_000})
        assert await agreed(t, "transfers.refund", Refund(OLD, 2_001, WHY)) == "OVER_ADVANCE"
        t.is_well()


@on_reactor
async def test_an_advance_moves_to_what_another_owes(node: Node) -> None:
    async with town(node) as t:
        appoint(t)
        assert await agreed(t, "transfers.move", Move(OLD, OLD, 1, WHY)) == "SAME_CONSUMER"
        assert await agreed(t, "transfers.move", Move(OLD, RAM, 7_001, WHY)) == "OVER_ADVANCE"
        assert await agreed(t, "transfers.move", Move(OLD, "0000000099", 1, WHY)) == "NO_CONSUMER"
        assert await agreed(t, "transfers.move", Move(OLD, RAM, 6_000, WHY)) == ""
        assert (await heads(t, RAM))["ARREARS"] == 4_500
        assert "LPSC" not in await heads(t, RAM)
        assert t.look("SELECT count(*) FROM mpower.vouchers WHERE kind = 'MOVE'") == [(1,)]
        t.is_well()


@on_reactor
async def test_a_payment_of_the_wrong_consumer_moves_whole_and_once(node: Node) -> None:
    async with town(node) as t:
        appoint(t)
        receipt = (await t.pay("asha", RAM, 63_000)).number
        early = Move(RAM, SITA, 63_000, WHY, receipt)
        assert await agreed(t, "transfers.move", early) == "NOT_VERIFIED"
        await t.done("omar", "payments.verify", Verify("C001", DAY))
        for body, code in (
            (Move(SITA, RAM, 63_000, WHY, receipt), "NO_RECEIPT"),
            (Move(RAM, SITA, 62_999, WHY, receipt), "MOVE_WHOLE"),
            (Move(RAM, SITA, 63_000, WHY, "C001/2026-27/99"), "NO_RECEIPT"),
        ):
            assert await agreed(t, "transfers.move", body) == code
        assert await agreed(t, "transfers.move", early) == ""
        assert (await heads(t, RAM))["CURRENT"] == 50_000
        assert await heads(t, SITA) == {"ADVANCE": -33_000}
        assert balance(t, -5) == 0, "Ram's duty is owed again; Sita owed none"
        assert await agreed(t, "transfers.move", early) == "RECEIPT_MOVED"
        t.is_well()


@on_reactor
async def test_what_came_in_at_a_bank_goes_up_with_both_legs_in_one_voucher(node: Node) -> None:
    async with town(node) as t:
        appoint(t)
        await t.done("SBI", "banking.post", Post("S1", 1, 1, 9_000, [Line("R1", RAM, 9_000, DAY)]))
        over = SendUp("SBI", "TRANSFER", 9_001, "HO-1", WHY)
        assert await agreed(t, "transfers.send_up", over) == "OVER_FUND"
        unknown = SendUp("C777", "TRANSFER", 1, "HO-1", WHY)
        assert await agreed(t, "transfers.send_up", unknown) == "NO_COUNTER"
        assert (
            await agreed(t, "transfers.send_up", SendUp("SBI", "TRANSFER", 9_000, "H", WHY)) == ""
        )
        assert (balance(t, -2), balance(t, -3)) == (9_000, 0)
        assert t.look(
            "SELECT count(*), count(DISTINCT voucher) FROM mpower.entries JOIN mpower.vouchers"
            " USING (voucher) WHERE kind = 'SENT_UP'"
        ) == [(2, 1)]
        t.is_well()


@on_reactor
async def test_a_line_in_suspense_finds_its_consumer_once(node: Node) -> None:
    async with town(node) as t:
        lines = [Line("R1", "0000000077", 700, DAY), Line("R2", "OLD-12", 64_000, DAY)]
        await t.done("SBI", "banking.post", Post("S1", 1, 2, 64_700, lines))
        page = await t.read("omar", "transfers.suspense", AskSuspense("SBI", most=1))
        (first,) = page.lines
        assert (first.reference, first.said, first.amount_paise, page.more) == (
            *("R1", "0000000077", 700),
            True,
        )
        rest = await t.read("omar", "transfers.suspense", AskSuspense("SBI", first.place))
        (second,) = rest.lines
        body = Match(second.receipt, RAM, "the old number of Ram Prasad")
        assert await t.refused("omar", "transfers.match", Match("SBI/2026-27/9", RAM, WHY)) == (
            "NOT_IN_SUSPENSE"
        )
        matched = await t.done("omar", "transfers.match", body)
        assert [(one.head, one.amount_paise) for one in matched.heads] == [
            ("LPSC", 500),
            ("ARREARS", 10_000),
            ("CURRENT", 50_000),
            ("DUTY", 2_500),
            ("ADVANCE", 1_000),
        ]
        assert await t.refused("omar", "transfers.match", body) == "NOT_IN_SUSPENSE"
        left = await t.read("omar", "transfers.suspense", AskSuspense("SBI"))
        assert [one.reference for one in left.lines] == ["R1"]
        assert balance(t, -5) == -2_500
        t.is_well()
