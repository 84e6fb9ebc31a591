"""What a payment is for, how it is paid, and whether it was paid already: on a real PostgreSQL."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from msgspec import msgpack

from protocols.catalogue.consumers import Dues, HeadDue, Load
from protocols.catalogue.payments import Cancel, Take, Verify
from tests.database.town import DAY, ON_PAPER, RAM, SITA, Town, codes, decoded, row, town
from tests.postgres_nodes import Node, on_reactor

MOHAN = "0000000021"
OWING = row(
    MOHAN,
    "Mohan",
    CURRENT=10_000,
    DUTY=500,
    INSTALMENT=2_000,
    DEMAND_NOTE=3_000,
    SUNDRY=4_000,
    THEFT=5_000,
    COMPOUNDING=6_000,
)
OWN = {
    "INSTALMENT": 2_000,
    "NON_ENERGY": 3_000,
    "SUNDRY": 4_000,
    "THEFT": 5_000,
    "COMPOUNDING": 6_000,
}


async def with_mohan(t: Town) -> None:
    await t.done("adil", "consumers.load", Load("2026-11-01", [OWING]))


async def judged(t: Town, *bodies: Take, who: str = "asha") -> list[str]:
    return codes(await t.take(*(t.item(who, body) for body in bodies)))


def balance(t: Town, account: int) -> int:
    ((paise,),) = t.look("SELECT balance_paise FROM mpower.accounts WHERE account = %s", account)
    return int(paise)


@on_reactor
async def test_each_purpose_pays_its_own_head_up_to_what_is_owed_there(node: Node) -> None:
    async with town(node) as t:
        await with_mohan(t)
        before = await t.read("asha", "consumers.dues", Dues(MOHAN))
        assert (before.total_paise, before.payable_paise) == (30_500, 10_500)
        for purpose, owed in OWN.items():
            over = Take(MOHAN, owed + 1, purpose=purpose)  # type: ignore[arg-type]
            part = Take(MOHAN, owed - 1, purpose=purpose)  # type: ignore[arg-type]
            assert await judged(t, over, part) == ["OVER_HEAD", ""]
            more = Take(MOHAN, 2, purpose=purpose)  # type: ignore[arg-type]
            rest = Take(MOHAN, 1, purpose=purpose)  # type: ignore[arg-type]
            assert await judged(t, more, rest) == ["OVER_HEAD", ""], "what waits counts"
        assert await judged(t, Take(MOHAN, 10_501), Take(MOHAN, 10_501, purpose="PARTIAL")) == [
            *["ADVANCE_UNMARKED"] * 2
        ]
        assert await judged(t, Take(MOHAN, 10_500)) == [""]
        dues = await t.read("asha", "consumers.dues", Dues(MOHAN))
        assert (dues.payable_paise, dues.unverified_paise) == (0, 30_500)
        assert HeadDue("THEFT", 5_000, 0) in dues.heads
        done = await t.done("omar", "payments.verify", Verify("C001", DAY))
        posted = {one.head: one.amount_paise for one in done.heads}
        assert posted == {
            "CURRENT": 10_000,
            "DUTY": 500,
            "INSTALMENT": 2_000,
            "DEMAND_NOTE": 3_000,
            "SUNDRY": 4_000,
            "THEFT": 5_000,
            "COMPOUNDING": 6_000,
        }
        after = await t.read("asha", "consumers.dues", Dues(MOHAN))
        assert (after.total_paise, after.heads) == (0, [])
        t.is_well()


@on_reactor
async def test_the_refusal_says_what_is_owed_for_it(node: Node) -> None:
    async with town(node) as t:
        await with_mohan(t)
        (outcome,) = await t.take(t.item("asha", Take(MOHAN, 5_001, purpose="THEFT")))
        assert outcome.refusal is not None
        assert outcome.refusal[1].startswith(
            "Rs 50.01 is more than the Rs 50.00 that is owed for THEFT"
        )
        assert await judged(t, Take(SITA, 1, purpose="SUNDRY")) == ["OVER_HEAD"]


@on_reactor
async def test_money_of_the_state_is_held_apart_when_it_is_verified(node: Node) -> None:
    async with town(node) as t:
        await with_mohan(t)
        await t.pay("asha", MOHAN, 6_000, purpose="COMPOUNDING")
        await t.pay("asha", MOHAN, 10_500)
        assert (balance(t, -5), balance(t, -6), balance(t, -10)) == (0, 0, -9_000)
        await t.done("omar", "payments.verify", Verify("C001", DAY))
        assert (balance(t, -5), balance(t, -6)) == (-500, -6_000)
        assert balance(t, -10) == -2_500, "the duty of the others is not collected yet"
        t.is_well()


@on_reactor
async def test_a_cancelled_receipt_is_payable_under_its_head_again(node: Node) -> None:
    async with town(node) as t:
        await with_mohan(t)
        receipt = await t.pay("asha", MOHAN, 5_000, purpose="THEFT")
        assert await judged(t, Take(MOHAN, 1, purpose="THEFT")) == ["OVER_HEAD"]
        await t.done("omar", "payments.cancel", Cancel(receipt.number, "wrong head"))
        t.is_well()
        assert await judged(t, Take(MOHAN, 5_000, purpose="THEFT")) == [""]
        t.is_well()


@on_reactor
async def test_two_payments_of_a_head_in_one_batch_and_two_lanes_do_not_exceed_it(
    node: Node,
) -> None:
    async with town(node) as t:
        await with_mohan(t)
        three, two = Take(MOHAN, 3_000, purpose="THEFT"), Take(MOHAN, 2_000, purpose="THEFT")
        again = Take(MOHAN, 3_000, purpose="THEFT", confirmed=True)
        assert await judged(t, three, again, two) == ["", "OVER_HEAD", ""]
        t.is_well()


@on_reactor
async def test_the_proof_sees_a_head_that_does_not_fit(node: Node) -> None:
    async with town(node) as t:
        await with_mohan(t)
        with psycopg.connect(t.superuser, autocommit=True) as base:
            base.execute("ALTER TABLE mpower.accounts DISABLE TRIGGER ALL")
            base.execute(
                "UPDATE mpower.accounts SET owed_paise = 4999 WHERE account = %s",
                (int(MOHAN) * 16 + 10,),
            )
        found = {one[0] for one in t.look("SELECT what FROM mpower.ledger_check_v1()")}
        assert found == {
            "what is payable under a head is its balance less what awaits verification",
            "what is not payable as dues is the sum of the heads with a purpose of their own",
        }


@pytest.mark.parametrize(
    ("mode", "carried", "code"),
    [
        ("CHEQUE", {"instrument": "204411", **ON_PAPER}, ""),
        ("DD", {"instrument": "204411", **ON_PAPER}, ""),
        ("POSTAL_ORDER", {"instrument": "AB1234", "dated": DAY}, ""),
        ("CARD", {"instrument": "A1"}, ""),
        ("UPI", {"instrument": "612345678901"}, ""),
        ("CHEQUE", {"instrument": "204411"}, "INSTRUMENT_MISSING"),
        ("CHEQUE", {"instrument": "204411", **ON_PAPER, "branch": ""}, "INSTRUMENT_MISSING"),
        ("DD", {**ON_PAPER}, "INSTRUMENT_MISSING"),
        ("POSTAL_ORDER", {"instrument": "AB1234"}, "INSTRUMENT_MISSING"),
        ("CARD", {}, "INSTRUMENT_MISSING"),
        ("CASH", {"instrument": "204411"}, "INSTRUMENT_SURPLUS"),
        ("UPI", {"instrument": "612345678901", "dated": DAY}, "INSTRUMENT_SURPLUS"),
        ("CHEQUE", {"instrument": "204411", **ON_PAPER, "dated": "2026-02-30"}, "INSTRUMENT_DATE"),
        ("CHEQUE", {"instrument": "204411", **ON_PAPER, "dated": "2026-08-24"}, ""),
        ("CHEQUE", {"instrument": "204411", **ON_PAPER, "dated": "2026-08-23"}, "INSTRUMENT_STALE"),
        (
            "CHEQUE",
            {"instrument": "204411", **ON_PAPER, "dated": "2026-11-25"},
            "INSTRUMENT_POST_DATED",
        ),
        ("POSTAL_ORDER", {"instrument": "AB1234", "dated": "2026-01-01"}, ""),
    ],
)
@on_reactor
async def test_a_mode_carries_what_belongs_to_it(
    node: Node, mode: Any, carried: dict[str, str], code: str
) -> None:
    async with town(node) as t:
        body = Take(RAM, 1_000, mode, **carried)  # type: ignore[arg-type]
        assert await judged(t, body) == [code]
        t.is_well()


@on_reactor
async def test_an_instrument_is_printed_whole_and_replayed_the_same(node: Node) -> None:
    async with town(node) as t:
        item = t.item("asha", Take(RAM, 1_000, "CHEQUE", "204411", **ON_PAPER))  # type: ignore[arg-type]
        (first,) = await t.take(item)
        (again,) = await t.take(item)
        receipt = decoded("payments.take", first)
        assert receipt.instrument == f"204411 {DAY} SBI MALL-ROAD"
        assert (again.reply, again.replay) == (first.reply, True)
        other = Take(RAM, 1_000, "CHEQUE", "204411", **{**ON_PAPER, "bank": "PNB"})  # type: ignore[arg-type]
        assert codes(await t.take(t.item("asha", other, item.key))) == ["KEY_CONFLICT"]


@on_reactor
async def test_the_same_payment_again_is_asked_about_before_it_is_taken(node: Node) -> None:
    async with town(node) as t:
        first = await t.pay("asha", RAM, 1_240)
        (outcome,) = await t.take(t.item("bina", Take(RAM, 1_240)))
        assert outcome.refusal is not None
        code, sentence = outcome.refusal
        assert code == "PAID_ALREADY"
        assert f"{RAM} paid Rs 12.40 at " in sentence
        assert f"at counter C001 already (receipt {first.number})" in sentence
        others = [Take(RAM, 1_241), Take(RAM, 1_240, purpose="ADVANCE"), Take(SITA, 1_240)]
        assert await judged(t, *others, who="bina") == ["", "", ""]
        assert await judged(t, Take(RAM, 1_240), who="bina") == ["PAID_ALREADY"], "further back"
        assert await judged(t, Take(RAM, 1_240, confirmed=True), who="bina") == [""]
        both = [Take(SITA, 77), Take(SITA, 77)]
        assert await judged(t, *both) == ["", "PAID_ALREADY"], "in one batch"
        t.is_well()


@on_reactor
async def test_a_cancelled_payment_or_one_of_another_day_is_not_the_same_again(node: Node) -> None:
    async with town(node) as t:
        receipt = await t.pay("asha", RAM, 1_240)
        await t.done("omar", "payments.cancel", Cancel(receipt.number, "wrong amount"))
        assert await judged(t, Take(RAM, 1_240)) == [""]
        await t.close_day(DAY)
        await t.open_day("2026-11-25")
        assert await judged(t, Take(RAM, 1_240)) == [""]


def test_a_payment_keeps_within_its_bytes() -> None:
    cheque = Take(RAM, 123_400, "CHEQUE", "204411", "DUES", DAY, "SBI", "MALL-ROAD")
    assert len(msgpack.encode(cheque)) - len(msgpack.encode(Take(RAM, 123_400))) <= 32
