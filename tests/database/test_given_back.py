"""A cheque that comes back before it was sent to the bank: out of the till and every list; and of
what happens at once only one.
"""

from __future__ import annotations

import asyncio

import psycopg
import pytest
from msgspec.structs import replace

from protocols.catalogue.payments import Verify
from protocols.catalogue.remittance import AskPending, Cheque, Sort
from protocols.catalogue.shifts import (
    Cash,
    CloseShift,
    HandOver,
    ModeCount,
    ShowShift,
    TakeOver,
)
from protocols.operation import Role
from tests.database.test_dishonour import (
    DISHONOUR,
    IN_HAND,
    IN_TRANSIT,
    SBI,
    cheque,
    on_its_way,
    returned,
)
from tests.database.test_purposes import balance
from tests.database.town import DAY, SITA, Town, add_people, town
from tests.postgres_nodes import Node, on_reactor


async def paper_of(t: Town) -> tuple[int, list[str]]:
    """How many instruments Asha's shift counts in modes on paper, and which lie in its till."""
    sheet = await t.read("asha", "shifts.show", ShowShift())
    return sum(m.count for m in sheet.modes), [one.receipt for one in sheet.instruments]


@on_reactor
async def test_out_of_an_open_till_it_is_neither_counted_nor_sent(node: Node) -> None:
    async with town(node) as t:
        number = await cheque(t)
        other = (await t.pay("asha", SITA, 500, mode="CHEQUE", instrument="204412")).number
        assert await paper_of(t) == (2, [number, other])
        await t.done("omar", DISHONOUR, returned(number))
        assert await paper_of(t) == (1, [other])
        listed = CloseShift(Cash(), ticked=[number, other])
        assert await t.refused("asha", "shifts.close", listed) == "TICK_UNKNOWN"
        closed = await t.done("asha", "shifts.close", replace(listed, ticked=[other]))
        assert (closed.receipts, closed.cancelled, closed.returned) == (2, 0, 1)
        assert closed.modes == [ModeCount("CHEQUE", 1, 500)]
        await t.done("omar", "payments.verify", Verify("C001", DAY, [other]))
        groups = (await t.read("omar", "remittance.pending", AskPending("HO"))).groups
        assert [(one.kind, one.receipts, one.paise) for one in groups] == [("CHEQUE", 1, 500)]
        sort = Sort([Cheque(number, "SBI", "Patna")])
        t.look(SBI)
        assert await t.refused("omar", "remittance.sort", sort) == "NOT_TO_SORT"
        assert balance(t, IN_HAND) == 500
        t.is_well()


@on_reactor
async def test_a_closing_sheet_stays_as_it_was_counted(node: Node) -> None:
    async with town(node) as t:
        number = await cheque(t)
        closed = await t.close_shift("asha")
        await t.done("omar", DISHONOUR, returned(number))
        assert await t.read("asha", "shifts.show", ShowShift()) == closed
        assert (closed.returned, [one.receipt for one in closed.instruments]) == (0, [number])
        assert (await t.read("omar", "remittance.pending", AskPending("HO"))).groups == []
        assert balance(t, IN_HAND) == 0
        t.is_well()


@on_reactor
async def test_a_till_that_was_offered_is_counted_again_when_a_cheque_left_it(node: Node) -> None:
    async with town(node) as t:
        number = await cheque(t)
        add_people(t, {"chand": ("E-CHAND", Role.CLERK, "counter/C001")})
        await t.done("asha", "shifts.hand_over", HandOver("chand", Cash(), ticked=[number]))
        await t.done("omar", DISHONOUR, returned(number))
        take = TakeOver(Cash())
        assert await t.refused("chand", "shifts.take_over", take) == "OFFER_STALE"
        await t.done("asha", "shifts.hand_over", HandOver("chand", Cash()))
        await t.done("chand", "shifts.take_over", take)


@pytest.mark.parametrize("turn", range(4))
@on_reactor
async def test_a_return_races_the_closing_and_is_counted_or_given_back(
    node: Node, turn: int
) -> None:
    async with town(node) as t:
        number = await cheque(t)
        close = CloseShift(Cash(), ticked=[number])
        asked = [
            t.ask("omar", DISHONOUR, returned(number)),
            t.ask("asha", "shifts.close", close),
        ]
        outcomes = await asyncio.gather(*(asked if turn % 2 else reversed(asked)))
        codes = {one.refusal[0] if one.refusal else "" for one in outcomes}
        sheet = await t.read("asha", "shifts.show", ShowShift())
        if sheet.state == "OPEN":
            assert codes == {"", "TICK_UNKNOWN"}
            assert (sheet.instruments, sheet.returned) == ([], 1)
        else:
            assert codes == {""}
            assert ([one.receipt for one in sheet.instruments], sheet.returned) == ([number], 0)
        assert balance(t, IN_HAND) == 0
        t.is_well()


@pytest.mark.parametrize("first", ["dishonour", "slip"])
@on_reactor
async def test_a_return_and_a_slip_at_once_and_one_of_them_wins(node: Node, first: str) -> None:
    """The one holds the accounts, not committed; the other waits for it and is then refused."""
    async with town(node) as t:
        number = await cheque(t)
        body = await on_its_way(t, number)
        ways = {
            "dishonour": lambda: t.ask("omar", DISHONOUR, returned(number)),
            "slip": lambda: t.ask("omar.two", "remittance.make", body),
        }
        second = "slip" if first == "dishonour" else "dishonour"
        with psycopg.connect(t.superuser) as gate:
            gate.execute("SELECT FROM mpower.accounts WHERE account = %s FOR UPDATE", (IN_HAND,))
            asked = []
            for n, name in enumerate((first, second), 1):
                asked.append(asyncio.ensure_future(ways[name]()))
                await waiting_for_locks(t, n)
        outcomes = await asyncio.gather(*asked)
        assert [one.refusal[0] if one.refusal else "" for one in outcomes] == [
            "",
            {"dishonour": "NOTHING_TO_REMIT", "slip": "RECEIPT_SETTLED"}[first],
        ]
        stands = {"dishonour": (0, 0), "slip": (0, 63_000)}[first]
        assert (balance(t, IN_HAND), balance(t, IN_TRANSIT)) == stands
        t.is_well()
        if first == "slip":
            await t.done("omar", DISHONOUR, returned(number))
            assert (balance(t, IN_HAND), balance(t, IN_TRANSIT)) == (0, 0)
            t.is_well()


async def waiting_for_locks(t: Town, count: int) -> None:
    """Until that many statements of the server wait for somebody's lock."""
    look = (
        "SELECT count(*) FROM pg_stat_activity WHERE usename = 'mpower_app'"
        " AND datname = current_database() AND wait_event_type = 'Lock'"
    )
    while (await asyncio.to_thread(t.look, look))[0][0] < count:
        pass
