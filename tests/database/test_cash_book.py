"""The cash book of a day on a real PostgreSQL: it agrees with the ledger to the paisa, whenever it
is asked for.
"""

from __future__ import annotations

from msgspec.structs import replace

from protocols.catalogue.days import AskBook, BookHead, BookLine, CashBook
from protocols.catalogue.payments import Cancel
from protocols.catalogue.remittance import MakeSlip
from tests.database.test_remittance import CASH, MAKE, taken, verified
from tests.database.test_shifts import FLOAT
from tests.database.town import DAY, RICH, Town, cash_of, town
from tests.postgres_nodes import Node, on_reactor

NEXT_DAY = "2026-11-25"


async def book(t: Town, day: str, counter: str = "") -> CashBook:
    found: CashBook = await t.read("omar", "days.cash_book", AskBook(day, "HO", counter))
    return found


def agrees(t: Town, said: CashBook) -> None:
    """Every line adds up, modes and counters sum to the same, and cash closes at the ledger's."""
    for line in [*said.modes, *said.counters]:
        moved = line.received - line.cancelled + line.difference - line.remitted + line.other
        assert line.opening + moved == line.closing, line
    for column in ("opening", "received", "remitted", "closing"):
        by = [sum(getattr(one, column) for one in part) for part in (said.modes, said.counters)]
        assert by[0] == by[1], column


@on_reactor
async def test_a_days_book_is_the_same_on_the_day_and_ever_after(node: Node) -> None:
    async with town(node) as t:
        gone = await t.pay("asha", RICH, 900)
        await t.done("omar", "payments.cancel", Cancel(gone.number, "typed twice"))
        await taken(t)
        first = await book(t, DAY)
        agrees(t, first)
        cash = BookLine("CASH", 0, 3, 35_900, 900, -100, 0, 0, 34_900)
        cheque = BookLine("CHEQUE", 0, 3, 7_000, 0, 0, 0, 0, 7_000)
        assert first.modes == [cash, cheque, BookLine("DD", 0, 1, 700, 0, 0, 0, 0, 700)]
        assert first.heads == [BookHead("RECEIVED", 42_700)]
        await verified(t)
        await t.done("omar", MAKE, replace(CASH, cash=cash_of(34_900)))
        evening = await book(t, DAY)
        agrees(t, evening)
        assert evening.modes[0] == replace(cash, remitted=34_900, closing=0)
        assert evening.heads == [BookHead("CURRENT", 42_700)]
        assert [(one.counter, one.clerk, one.picked_paise) for one in evening.shifts] == [
            ("C001", "asha", 10_000),
            ("C002", "bina", 0),
        ]
        await t.close_day(DAY)
        await t.open_day(NEXT_DAY)
        await t.pay("bina", RICH, 5_000)
        await t.done("omar", MAKE, MakeSlip("HO", "DD", total_paise=700))
        assert await book(t, DAY) == replace(evening, state="CLOSED")
        today = await book(t, NEXT_DAY)
        agrees(t, today)
        assert [(one.name, one.opening, one.closing) for one in today.modes] == [
            ("CASH", 0, 5_000),
            ("CHEQUE", 7_000, 7_000),
            ("DD", 700, 0),
        ]
        one = await book(t, NEXT_DAY, "C002")
        assert [(line.name, line.closing) for line in one.counters] == [("C002", 5_000)]
        assert (await book(t, "2026-11-26")).state == "NONE"
        t.is_well()


@on_reactor
async def test_a_book_closes_at_what_the_ledger_says_of_its_counters(node: Node) -> None:
    async with town(node) as t:
        await taken(t)
        await t.done("asha", "shifts.open", FLOAT)
        await t.pay("asha", RICH, 12_345)
        said = await book(t, DAY)
        agrees(t, said)
        held = t.look(
            "SELECT sum(balance_paise)::bigint FROM mpower.accounts"
            " WHERE account < -16 AND -account % 16 IN (1, 2, 3, 4, 5, 6, 7, 9, 10)"
        )
        assert held == [(sum(line.closing for line in said.counters),)]
