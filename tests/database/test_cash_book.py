"""The cash book of a day on a real PostgreSQL: it agrees with the ledger to the paisa, whenever it
is asked for.
"""

from __future__ import annotations

from unittest.mock import ANY

from msgspec.structs import replace

from protocols.catalogue.banking import Line, Post
from protocols.catalogue.days import (
    AskBook,
    BookHead,
    BookLine,
    CashBook,
    Closed,
    CloseDay,
    Waiting,
)
from protocols.catalogue.instruments import Dishonour
from protocols.catalogue.payments import Cancel, Verify, VerifyDay, WatchVerification
from protocols.catalogue.remittance import MakeSlip
from tests.database.test_remittance import CASH, MAKE, taken, verified
from tests.database.test_shifts import FLOAT
from tests.database.town import DAY, RICH, Town, carry_on, cash_of, town
from tests.postgres_nodes import Node, on_reactor

NEXT_DAY = "2026-11-25"


async def book(t: Town, day: str, counter: str = "") -> CashBook:
    found: CashBook = await t.read("omar", "days.cash_book", AskBook(day, "HO", counter))
    return found


def agrees(said: CashBook) -> None:
    """Every line adds up, modes and counters sum to the same, and cash closes at the ledger's."""
    for line in [*said.modes, *said.counters]:
        moved = line.received - line.cancelled - line.returned + line.difference
        assert line.opening + moved - line.remitted + line.other == line.closing, line
    for column in ("opening", "received", "returned", "remitted", "closing"):
        by = [sum(getattr(one, column) for one in part) for part in (said.modes, said.counters)]
        assert by[0] == by[1], column


@on_reactor
async def test_a_days_book_is_the_same_on_the_day_and_ever_after(node: Node) -> None:
    async with town(node) as t:
        gone = await t.pay("asha", RICH, 900)
        await t.done("omar", "payments.cancel", Cancel(gone.number, "typed twice"))
        await taken(t)
        first = await book(t, DAY)
        agrees(first)
        cash = BookLine("CASH", 0, 3, 35_900, 900, 0, -100, 0, 0, 34_900)
        cheque = BookLine("CHEQUE", 0, 3, 7_000, 0, 0, 0, 0, 0, 7_000)
        assert first.modes == [cash, cheque, BookLine("DD", 0, 1, 700, 0, 0, 0, 0, 0, 700)]
        assert first.heads == []
        assert first.waiting == [Waiting("C001", 4, 37_000), Waiting("C002", 2, 5_700)]
        await verified(t)
        await t.done("omar", MAKE, replace(CASH, cash=cash_of(34_900)))
        evening = await book(t, DAY)
        agrees(evening)
        assert evening.modes[0] == replace(cash, remitted=34_900, closing=0)
        assert evening.heads == [BookHead("CURRENT", 42_700, 0)]
        assert evening.waiting == []
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
        agrees(today)
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
        agrees(said)
        held = t.look(
            "SELECT sum(balance_paise)::bigint FROM mpower.accounts"
            " WHERE account < -16 AND -account % 16 IN (1, 2, 3, 4, 5, 6, 7, 9, 10)"
        )
        assert held == [(sum(line.closing for line in said.counters),)]


@on_reactor
async def test_a_cheque_that_comes_back_before_it_left_is_in_the_book_and_out_of_the_heads(
    node: Node,
) -> None:
    async with town(node) as t:
        drawn = {"mode": "CHEQUE", "instrument": "204411"}
        one = (await t.pay("asha", RICH, 900, **drawn)).number
        await t.pay("asha", RICH, 50, **drawn)
        await t.done("omar", "payments.verify", Verify("C001", DAY, [one]))
        await t.done("omar", "instruments.dishonour", Dishonour(one, DAY, "Signature differs"))
        said = await book(t, DAY)
        agrees(said)
        assert said.modes == [BookLine("CHEQUE", 0, 2, 950, 0, 900, 0, 0, 0, 50)]
        assert said.heads == [BookHead("CURRENT", 900, 900)]
        assert said.waiting == [Waiting("C001", 1, 50)]
        await t.close_day(DAY)
        await t.open_day(NEXT_DAY)
        await t.done("omar", "payments.verify", Verify("C001", DAY))
        assert await book(t, DAY) == replace(said, state="CLOSED", shifts=ANY), (
            "what is verified later is the next day's"
        )
        paid = BookHead("CHEQUE_CHARGE", 50, 0)
        assert (await book(t, NEXT_DAY)).heads == [paid], "what the return cost is paid first"


@on_reactor
async def test_a_day_verified_at_once_is_still_told_by_counter(node: Node) -> None:
    async with town(node) as t:
        await t.pay("asha", RICH, 900)
        await t.pay("bina", RICH, 50)
        await t.done("omar", "payments.verify_day", VerifyDay(DAY))
        await carry_on(t.database)
        assert (await book(t, DAY, "C001")).heads == [BookHead("CURRENT", 900, 0)]
        assert (await book(t, DAY, "C002")).heads == [BookHead("CURRENT", 50, 0)]


@on_reactor
async def test_a_closed_day_says_what_of_it_is_not_verified(node: Node) -> None:
    async with town(node) as t:
        seen = (await t.pay("asha", RICH, 900)).number
        await t.pay("asha", RICH, 70)
        await t.pay("bina", RICH, 50)
        line = Line("R1", RICH, 500, DAY)
        await t.done("SBI", "banking.post", Post("S1", 1, 1, 500, [line]))
        await t.done("omar", "payments.verify", Verify("C001", DAY, [seen]))
        for clerk in ("asha", "bina"):
            await t.close_shift(clerk)
        closed = await t.done("omar", "days.close", CloseDay(DAY))
        waiting = [Waiting("C001", 1, 70), Waiting("C002", 1, 50), Waiting("SBI", 1, 500)]
        assert closed == Closed(DAY, "2026-27", "CLOSED", waiting)


@on_reactor
async def test_verification_without_an_open_day_says_to_open_the_next(node: Node) -> None:
    async with town(node) as t:
        await t.pay("asha", RICH, 900)
        await t.close_day(DAY)
        outcome = await t.ask("omar", "payments.verify", Verify("C001", DAY))
        assert outcome.refusal is not None
        sentence = outcome.refusal[1]
        assert sentence == (
            f"What was taken on {DAY} cannot be posted now: no business day is open. Open the next "
            f"one ('day open DATE') and verify then; it counts from {DAY} all the same."
        )
        asked = await t.done("omar", "payments.verify_day", VerifyDay(DAY))
        assert (asked.state, asked.why) == ("OPEN", "no business day is open to post on")
        await t.open_day(NEXT_DAY)
        await carry_on(t.database)
        watch = WatchVerification(asked.verification)
        said = await t.read("omar", "payments.verification", watch)
        assert (said.state, said.why, said.posted) == ("DONE", "", 1)
        t.is_well()
