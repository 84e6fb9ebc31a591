"""A cheque comes back, on a real PostgreSQL: out of where its money stands, once, with all that
follows.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json

import psycopg
import pytest
from psycopg import errors

from protocols.catalogue.consumers import Contacts, Dues, HeadDue, Load
from protocols.catalogue.instruments import Dishonour, Returned
from protocols.catalogue.payments import Cancel, Duplicate, Take, Verify
from protocols.catalogue.remittance import Cheque, MakeSlip, Realise, Sort
from tests.database.officers import books
from tests.database.test_purposes import MOHAN, OWING, balance, judged
from tests.database.test_shifts import limit
from tests.database.town import DAY, ON_PAPER, RAM, SITA, Town, here, town
from tests.postgres_nodes import Node, on_reactor

DISHONOUR = "instruments.dishonour"
NEXT_DAY = "2026-12-24"
"""Thirty days on."""
COUNTER = 1
SBI = """INSERT INTO mpower.masters SELECT 'banks', 'SBI', '2026-01-01',
    '{"code":"SBI","name":"SBI"}', now() RETURNING 1"""
IN_HAND, IN_TRANSIT, BANK = -(COUNTER * 16 + 2), -(COUNTER * 16 + 8), -2


async def cheque(t: Town, consumer: str = RAM, paise: int = 63_000, **more: str) -> str:
    """A cheque is taken for all that Ram owes, and verified; the receipt's number."""
    receipt = await t.pay("asha", consumer, paise, mode="CHEQUE", instrument="204411", **more)
    await t.done("omar", "payments.verify", Verify("C001", DAY, [receipt.number]))
    return str(receipt.number)


def returned(number: str, day: str = DAY) -> Dishonour:
    return Dishonour(number, day, "Funds insufficient")


async def on_its_way(t: Town, number: str) -> MakeSlip:
    """The shifts are closed and the cheque is sorted; what is said to make its slip."""
    await t.close_shift("asha")
    await t.close_shift("bina")
    t.look(SBI)
    await limit(t, "HO", 10**9)
    await t.done("omar", "remittance.sort", Sort([Cheque(number, "SBI", "Patna")]))
    return MakeSlip("HO", "CHEQUE", "SBI", "LOCAL", total_paise=63_000)


async def remitted(t: Town, number: str) -> str:
    """The cheque goes to the bank on a slip; the slip's number."""
    made = await t.done("omar", "remittance.make", await on_its_way(t, number))
    return str(made.slip)


@on_reactor
async def test_what_a_cheque_had_paid_is_owed_again_with_charge_and_bar(node: Node) -> None:
    async with town(node) as t:
        number = await cheque(t)
        assert balance(t, IN_HAND) == 63_000
        done = await t.done("omar", DISHONOUR, returned(number))
        assert (done.amount_paise, done.charge_paise, done.surcharge_paise) == (63_000, 30_000, 0)
        assert done.no_cheque_until == "2027-11-24"
        assert balance(t, IN_HAND) == 0
        dues = await t.read("asha", "consumers.dues", Dues(RAM))
        assert dues.heads == [
            HeadDue("LPSC", 500),
            HeadDue("ARREARS", 10_000),
            HeadDue("CURRENT", 50_000),
            HeadDue("DUTY", 2_500),
            HeadDue("CHEQUE_CHARGE", 30_000),
        ]
        assert (dues.payable_paise, dues.no_cheque_until) == (93_000, "2027-11-24")
        assert (balance(t, -5), balance(t, -7)) == (0, -30_000), "no duty is held any more"
        t.is_well()
        paper = Take(RAM, 100, "CHEQUE", "204412", **ON_PAPER)  # type: ignore[arg-type]
        draft = Take(RAM, 100, "DD", "204412", **ON_PAPER)  # type: ignore[arg-type]
        assert await judged(t, paper, draft) == ["CHEQUE_BARRED", ""]
        other = Take(SITA, 100, "CHEQUE", "204412", **ON_PAPER)  # type: ignore[arg-type]
        assert await judged(t, other) == [""]
        await t.pay("asha", RAM, 30_500)
        verified = await t.done("omar", "payments.verify", Verify("C001", DAY))
        posted = {one.head: one.amount_paise for one in verified.heads}
        assert posted["CHEQUE_CHARGE"] == 30_000
        t.is_well()


@on_reactor
async def test_the_bar_ends_with_its_last_day(node: Node) -> None:
    async with town(node) as t:
        await t.done("omar", DISHONOUR, returned(await cheque(t)))
        t.look("UPDATE mpower.cheque_bars SET until = %s RETURNING 1", dt.date.fromisoformat(DAY))
        paper = Take(RAM, 100, "CHEQUE", "204412", **ON_PAPER)  # type: ignore[arg-type]
        assert await judged(t, paper) == ["CHEQUE_BARRED"]
        t.look("UPDATE mpower.cheque_bars SET until = '2026-11-23' RETURNING 1")
        assert await judged(t, paper) == [""]


@pytest.mark.parametrize("step", ["REMITTED", "REALISED"])
@on_reactor
async def test_it_comes_out_of_where_its_money_stands(node: Node, step: str) -> None:
    async with town(node) as t:
        number = await cheque(t)
        slip = await remitted(t, number)
        assert (balance(t, IN_HAND), balance(t, IN_TRANSIT)) == (0, 63_000)
        if step == "REALISED":
            await t.done("omar", "remittance.realise", Realise(slip, DAY, "CR-1", 63_000))
            assert (balance(t, IN_TRANSIT), balance(t, BANK)) == (0, 63_000)
        await t.done("omar", DISHONOUR, returned(number))
        assert (balance(t, IN_HAND), balance(t, IN_TRANSIT), balance(t, BANK)) == (0, 0, 0)
        life = t.look("SELECT state, after FROM mpower.receipt_events ORDER BY step")
        assert life[-2:] == [("DISHONOURED", step), ("RE_DEBITED", "DISHONOURED")]
        t.is_well()


@on_reactor
async def test_surcharge_revives_from_the_day_it_was_taken(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with town(node) as t:
        number = await cheque(t)
        await t.close_day(DAY)
        monkeypatch.setitem(here, "date", dt.date.fromisoformat(NEXT_DAY))
        await t.open_day(NEXT_DAY)
        done = await t.done("omar", DISHONOUR, returned(number, NEXT_DAY))
        assert done.surcharge_paise == 900, "1.5 % of 600.00 for thirty days"
        assert t.look(
            "SELECT day::text, value_day::text FROM mpower.vouchers WHERE kind = 'DISHONOUR'"
        ) == [(NEXT_DAY, DAY)]
        dues = await t.read("asha", "consumers.dues", Dues(RAM))
        assert dues.heads[0] == HeadDue("LPSC", 1_400)
        t.is_well()


@on_reactor
async def test_the_consumer_is_told_and_it_stands_in_the_history(node: Node) -> None:
    async with town(node) as t:
        number = await cheque(t)
        done = await t.done("omar", DISHONOUR, returned(number))
        text = "\n".join(done.notice)
        for said in ("Ram Prasad", "204411", "Rs 630.00", number, "Rs 930.00", "2027-11-24"):
            assert said in text
        (contact,) = (await t.read("asha", "consumers.contacts", Contacts(RAM))).contacts
        assert (contact.contact, contact.kind, contact.direction) == (done.contact, "NOTICE", "OUT")
        assert (contact.reference, contact.remark) == (number, "Funds insufficient")
        (one,) = (await t.read("asha", "instruments.returned", Returned(RAM))).instruments
        assert (one.receipt, one.reason, one.notice) == (number, "Funds insufficient", done.notice)
        ((details, reason),) = t.look(
            "SELECT details, reason FROM mpower.audit_entries WHERE what = %s", DISHONOUR
        )
        said = json.loads(details)
        assert (said["before"], said["after"]) == ({"state": "VERIFIED"}, {"state": "RE_DEBITED"})
        assert reason == "Funds insufficient"


@on_reactor
async def test_what_cannot_come_back_is_refused_and_nothing_changes(node: Node) -> None:
    async with town(node) as t:
        number = await cheque(t)
        cash = (await t.pay("asha", SITA, 1_000)).number
        waits = (await t.pay("asha", SITA, 2_000, mode="CHEQUE", instrument="204413")).number
        gone = (await t.pay("asha", SITA, 3_000, mode="CHEQUE", instrument="204414")).number
        await t.done("omar", "payments.cancel", Cancel(gone, "wrong consumer"))
        before = books(t)
        for wanted, code in (
            (returned("C001/2026-27/77"), "NO_RECEIPT"),
            (returned("C001/2026-28/1"), "NO_RECEIPT"),
            (returned(cash), "NO_INSTRUMENT"),
            (returned(waits), "NOT_VERIFIED"),
            (returned(gone), "RECEIPT_CANCELLED"),
            (returned(number, "2026-11-23"), "RETURN_DATE"),
            (returned(number, "2026-11-25"), "RETURN_DATE"),
            (returned(number, "2026-02-30"), "BAD_BODY"),
        ):
            assert await t.refused("omar", DISHONOUR, wanted) == code, wanted
        assert books(t) == before
        await t.done("omar", DISHONOUR, returned(number))
        before = books(t)
        assert await t.refused("omar", DISHONOUR, returned(number)) == "DISHONOURED_ALREADY"
        assert await t.refused("omar", "payments.cancel", Cancel(number, "oops")) == (
            "RECEIPT_VERIFIED"
        )
        again = Verify("C001", DAY, [number])
        assert await t.refused("omar", "payments.verify", again) == "RECEIPT_VERIFIED"
        assert await t.refused("asha", "payments.duplicate", Duplicate(number)) == (
            "DISHONOURED_ALREADY"
        )
        assert books(t) == before
        t.is_well()


@on_reactor
async def test_two_officers_at_once_take_it_back_once(node: Node) -> None:
    async with town(node) as t:
        number = await cheque(t)
        asked = [t.ask("omar", DISHONOUR, returned(number)) for _ in range(3)]
        outcomes = await asyncio.gather(*asked)
        codes = sorted(one.refusal[0] if one.refusal else "" for one in outcomes)
        assert codes[0] == ""
        assert set(codes[1:]) <= {"DISHONOURED_ALREADY", "RECEIPT_SETTLED"}
        t.is_well()


@on_reactor
async def test_of_two_receipts_of_a_consumer_in_one_voucher_the_right_lines_come_back(
    node: Node,
) -> None:
    async with town(node) as t:
        first = await t.pay("asha", RAM, 20_000, mode="CHEQUE", instrument="204411")
        second = await t.pay("asha", RAM, 43_000, mode="CHEQUE", instrument="204412")
        await t.done("omar", "payments.verify", Verify("C001", DAY))
        await t.done("omar", DISHONOUR, returned(second.number))
        dues = await t.read("asha", "consumers.dues", Dues(RAM))
        assert [(one.head, one.due_paise) for one in dues.heads] == [
            ("CURRENT", 40_500),
            ("DUTY", 2_500),
            ("CHEQUE_CHARGE", 30_000),
        ]
        await t.done("omar", DISHONOUR, returned(first.number))
        dues = await t.read("asha", "consumers.dues", Dues(RAM))
        assert dues.total_paise == 63_000 + 60_000
        t.is_well()


@on_reactor
async def test_a_head_of_its_own_is_payable_again(node: Node) -> None:
    async with town(node) as t:
        await t.done("adil", "consumers.load", Load("2026-11-01", [OWING]))
        number = await cheque(t, MOHAN, 6_000, purpose="COMPOUNDING")
        assert balance(t, -6) == -6_000
        await t.done("omar", DISHONOUR, returned(number))
        assert balance(t, -6) == 0
        t.is_well()
        assert await judged(t, Take(MOHAN, 6_000, purpose="COMPOUNDING", confirmed=True)) == [""]
        t.is_well()


@pytest.mark.parametrize(
    ("step", "state", "after"),
    [
        (2, "REMITTED", None),
        (2, "REMITTED", "VERIFIED"),
        (3, "REALISED", "REMITTED"),
        (4, "DISHONOURED", "VERIFIED"),
        (1, "VERIFIED", None),
        (1, "CANCELLED", None),
        (5, "RE_DEBITED", "VERIFIED"),
    ],
)
@on_reactor
async def test_the_life_of_a_receipt_is_kept_by_its_constraints(
    node: Node, step: int, state: str, after: str | None
) -> None:
    async with town(node) as t:
        number = await cheque(t)
        await t.done("omar", DISHONOUR, returned(number))
        with (
            psycopg.connect(t.superuser, autocommit=True) as base,
            pytest.raises(errors.IntegrityError),
        ):
            base.execute(
                "INSERT INTO mpower.receipt_events SELECT receipt, %s, %s, %s, voucher, day, at,"
                " by, reason FROM mpower.receipt_events LIMIT 1",
                (step, state, after),
            )
