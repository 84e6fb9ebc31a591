"""What happens to a receipt after it was taken: cancelled, verified and posted; and its days."""

from __future__ import annotations

import asyncio
import datetime as dt

import psycopg
import pytest

from protocols.catalogue.body import Nothing
from protocols.catalogue.consumers import Dues
from protocols.catalogue.days import CloseDay, Day, OpenDay
from protocols.catalogue.payments import Cancel, Cancelled, HeadPosted, Take, Verified, Verify
from tests.database.town import CLERKS, DAY, OLD, RAM, SITA, here, town
from tests.postgres_nodes import Node, on_reactor

NEXT_DAY = "2026-11-25"


@on_reactor
async def test_a_cancelled_receipt_keeps_its_number_and_the_money_goes_back(node: Node) -> None:
    async with town(node) as t:
        first = await t.pay("asha", RAM, 1_000)
        second = await t.pay("asha", RAM, 2_000)
        done = await t.done("omar", "payments.cancel", Cancel(second.number, "typed twice"))
        assert done == Cancelled(second.number, 2_000)
        dues = await t.read("asha", "consumers.dues", Dues(RAM))
        assert (dues.unverified_paise, dues.last_receipt) == (1_000, first.number)
        assert (await t.pay("asha", RAM, 1)).number == "C001/2026-27/3"
        t.is_well()


@on_reactor
async def test_what_may_not_be_cancelled(node: Node) -> None:
    async with town(node) as t:
        one, two = await t.pay("asha", RAM, 100), await t.pay("bina", RAM, 100)
        cancel = "payments.cancel"
        assert await t.refused("asha.officer", cancel, Cancel(one.number, "oops")) == "OWN_WORK"
        for number in ("C001/2026-27/9", "C009/2026-27/1", "C001/2025-26/1", "C001/2026-28/1"):
            assert await t.refused("omar", cancel, Cancel(number, "oops")) == "NO_RECEIPT"
        await t.done("omar", "payments.verify", Verify("C001", DAY))
        assert await t.refused("omar", cancel, Cancel(one.number, "oops")) == "RECEIPT_VERIFIED"
        assert (
            await t.refused("omar", cancel, Cancel(two.number, "oops")) == "RECEIPT_OTHER_COUNTER"
        )
        await t.done("omar.two", cancel, Cancel(two.number, "oops"))
        assert (
            await t.refused("omar.two", cancel, Cancel(two.number, "oops")) == "RECEIPT_CANCELLED"
        )
        three = await t.pay("asha", RAM, 100)
        await t.close_day(DAY)
        assert await t.refused("omar", cancel, Cancel(three.number, "oops")) == "DAY_NOT_OPEN"
        await t.open_day(NEXT_DAY)
        assert await t.refused("omar", cancel, Cancel(three.number, "oops")) == "RECEIPT_OTHER_DAY"
        t.is_well()


@on_reactor
async def test_verification_posts_to_the_heads_in_order(node: Node) -> None:
    async with town(node) as t:
        await t.pay("asha", RAM, 20_000)
        await t.pay("asha", RAM, 43_000)
        await t.pay("asha", SITA, 10_000)
        await t.pay("asha", OLD, 5_000, purpose="ADVANCE")
        verified = await t.done("omar", "payments.verify", Verify("C001", DAY))
        assert verified == Verified(
            4,
            78_000,
            [
                HeadPosted("LPSC", 500),
                HeadPosted("ARREARS", 10_000),
                HeadPosted("CURRENT", 60_000),
                HeadPosted("DUTY", 2_500),
                HeadPosted("ADVANCE", 5_000),
            ],
        )
        ram = await t.read("asha", "consumers.dues", Dues(RAM))
        assert (ram.total_paise, ram.unverified_paise, ram.heads) == (0, 0, [])
        old = await t.read("asha", "consumers.dues", Dues(OLD))
        assert (old.total_paise, old.payable_paise) == (-12_000, -12_000)
        assert (
            await t.refused("omar", "payments.verify", Verify("C001", DAY)) == "NOTHING_TO_VERIFY"
        )
        t.is_well()


@on_reactor
async def test_named_receipts_are_verified_or_the_whole_is_refused(node: Node) -> None:
    async with town(node) as t:
        one, two, three = [await t.pay("asha", RAM, 100) for _ in range(3)]
        other = await t.pay("bina", RAM, 100)
        verify = "payments.verify"
        for names, code in (
            ([one.number, other.number], "NO_RECEIPT"),
            ([one.number, "C001/2026-27/77"], "NO_RECEIPT"),
        ):
            assert await t.refused("omar", verify, Verify("C001", DAY, names)) == code
        assert await t.refused("omar", verify, Verify("C777", DAY)) == "NO_COUNTER"
        assert await t.refused("asha.officer", verify, Verify("C001", DAY)) == "OWN_WORK"
        wrong_day = Verify("C001", NEXT_DAY, [one.number])
        assert await t.refused("omar", verify, wrong_day) == "NO_RECEIPT"
        done = await t.done("omar", verify, Verify("C001", DAY, [one.number, three.number]))
        assert done.count == 2
        again = Verify("C001", DAY, [two.number, three.number])
        assert await t.refused("omar", verify, again) == "RECEIPT_VERIFIED"
        assert (await t.done("omar", verify, Verify("C001", DAY))).count == 1
        t.is_well()


@on_reactor
async def test_cancelling_and_verifying_at_once_has_one_end(node: Node) -> None:
    async with town(node) as t:
        receipts = [await t.pay("asha", RAM, 100) for _ in range(4)]
        asks = [t.ask("omar", "payments.verify", Verify("C001", DAY))]
        asks += [t.ask("omar", "payments.cancel", Cancel(r.number, "race")) for r in receipts]
        outcomes = await asyncio.gather(*asks)
        assert any(one.refusal is None for one in outcomes)
        assert t.look("SELECT count(*) FROM mpower.receipt_events") == [(4,)]
        t.is_well()


@on_reactor
async def test_a_keyed_operation_is_done_once_and_answered_the_same(node: Node) -> None:
    async with town(node) as t:
        one = await t.pay("asha", RAM, 100)
        key = t.key(t.people["omar"])
        body = Cancel(one.number, "typed twice")
        first = await t.ask("omar", "payments.cancel", body, key)
        again = await t.ask("omar", "payments.cancel", body, key)
        assert (again.reply, again.replay) == (first.reply, True)
        other = Cancel(one.number, "another reason")
        assert await t.refused("omar", "payments.cancel", other, key) == "KEY_CONFLICT"
        assert await t.refused("omar", "days.close", CloseDay(DAY), key) == "KEY_CONFLICT"
        late = t.key(t.people["omar"])
        refused = await t.ask("omar", "payments.cancel", Cancel("C001/2026-27/8", "none"), late)
        await t.pay("asha", RAM, 100)
        same = await t.ask("omar", "payments.cancel", Cancel("C001/2026-27/8", "none"), late)
        assert (same.refusal, same.replay) == (refused.refusal, True)
        for clerk in CLERKS:
            await t.close_shift(clerk)
        close = t.key(t.people["omar"])
        both = await asyncio.gather(
            *(t.ask("omar", "days.close", CloseDay(DAY), one) for one in [close] * 3)
        )
        assert sorted(o.replay for o in both) == [False, True, True]
        t.is_well()


@on_reactor
async def test_a_payment_key_is_no_key_of_another_operation(node: Node) -> None:
    async with town(node) as t:
        item = t.item("bina", Take(RAM, 100))
        await t.take(item)
        assert await t.refused("omar", "days.close", CloseDay(DAY), item.key) == "KEY_CONFLICT"
        key = t.key(t.people["omar"])
        for clerk in CLERKS:
            await t.close_shift(clerk)
        await t.done("omar", "days.close", CloseDay(DAY), key)
        (conflict,) = await t.take(t.item("bina", Take(RAM, 100), key))
        assert conflict.refusal is not None
        assert conflict.refusal[0] == "KEY_CONFLICT"
        t.is_well()


@on_reactor
async def test_whoever_lost_the_right_meanwhile_is_refused(node: Node) -> None:
    async with town(node) as t:
        t.look("SELECT mpower.end_session_v1(%s, 'SIGNED_OUT')", t.people["omar"].session)
        key = t.key(t.people["omar"])
        assert await t.refused("omar", "days.close", CloseDay(DAY), key) == "SIGN_IN_AGAIN"
        assert t.look("SELECT count(*) FROM mpower.requests WHERE operation = 'days.close'") == [
            (0,)
        ]
        t.look("SELECT mpower.disable_user_v1('asha.officer', 'left')")
        key = t.key(t.people["asha.officer"])
        first = await t.ask("asha.officer", "days.close", CloseDay(DAY), key)
        again = await t.ask("asha.officer", "days.close", CloseDay(DAY), key)
        assert first.refusal is not None
        assert first.refusal[0] == "USER_DISABLED"
        assert (again.refusal, again.replay) == (first.refusal, True)


@on_reactor
async def test_days_only_go_forward_one_at_a_time(node: Node) -> None:
    async with town(node) as t:
        assert await t.read("asha", "days.today", Nothing()) == Day(DAY, "2026-27", "OPEN")
        assert await t.refused("omar", "days.open", OpenDay(NEXT_DAY)) == "DAY_OPEN"
        assert await t.refused("omar", "days.close", CloseDay(NEXT_DAY)) == "DAY_OTHER"
        assert await t.refused("omar", "days.open", OpenDay("2026-02-30")) == "BAD_BODY"
        await t.close_day(DAY)
        assert await t.refused("omar", "days.close", CloseDay(DAY)) == "DAY_CLOSED"
        assert await t.refused("omar", "days.open", OpenDay(DAY)) == "DAY_ORDER"
        assert await t.read("asha", "days.today", Nothing()) == Day(DAY, "2026-27", "CLOSED")
        await t.open_day(NEXT_DAY)
        assert (await t.pay("asha", RAM, 100)).number == "C001/2026-27/1"
        t.is_well()


@on_reactor
async def test_a_new_financial_year_begins_its_own_series(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with town(node) as t:
        await t.close_day(DAY)
        monkeypatch.setitem(here, "date", dt.date(2027, 4, 1))
        await t.open_day("2027-04-01")
        assert (await t.pay("asha", RAM, 100)).number == "C001/2027-28/1"
        t.is_well()


@on_reactor
async def test_a_mistyped_day_does_not_stop_the_board(node: Node) -> None:
    async with town(node) as t:
        await t.close_day(DAY)
        for mistyped in ("2036-11-25", "9999-12-31", "2026-11-26", "2026-10-23", "0001-01-01"):
            assert await t.refused("omar", "days.open", OpenDay(mistyped)) == "DAY_FAR"
        await t.open_day(NEXT_DAY)
        await t.pay("asha", RAM, 100)
        t.is_well()


@on_reactor
async def test_a_year_beyond_a_receipts_bits_has_no_receipt_and_no_day(node: Node) -> None:
    async with town(node) as t:
        number = "SELECT mpower.receipt_id(1, %s::smallint, 1)"
        assert [t.look(number, year)[0][0] is None for year in (1999, 2000, 2255, 2256)] == [
            True,
            False,
            False,
            True,
        ]
        await t.close_day(DAY)
        with pytest.raises(psycopg.errors.CheckViolation, match="days_year_fits"):
            t.look("SELECT mpower.open_day_v1('2256-04-01', 'omar')")
        with pytest.raises(psycopg.errors.CheckViolation, match="series_year_fits"):
            t.look("UPDATE mpower.series SET financial_year = 1999")
