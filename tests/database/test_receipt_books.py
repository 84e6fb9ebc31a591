"""Receipts from paper books entered later, on a real PostgreSQL: once, in order, with their number
and date.
"""

from __future__ import annotations

import asyncio

from msgspec.structs import replace

from protocols.catalogue.body import Body
from protocols.catalogue.consumers import Dues
from protocols.catalogue.payments import Cancel, Verify
from protocols.catalogue.receipt_books import AskBook, CloseBook, Enter, Leaf, Register, Spoilt
from protocols.catalogue.remittance import MakeSlip
from tests.database.test_shifts import untouched
from tests.database.town import DAY, RAM, SITA, Town, cash_of, town
from tests.postgres_nodes import Node, on_reactor

REGISTER, ENTER, CLOSE = "receipt_books.register", "receipt_books.enter", "receipt_books.close"
BOOK = Register("B0017", "C001", 501, 510)
LEAVES = [
    Leaf(501, "2026-11-20", RAM, 10_000),
    Leaf(503, "2026-11-21", "0000000077", 700),
    Leaf(504, "2026-11-21", "unreadable", 300),
    Leaf(505, "2026-11-23", RAM, 2_000, "CHEQUE", "77"),
]
FIRST = Enter("B0017", LEAVES, [Spoilt(502, "torn in two")])


async def nothing(t: Town, *wrong: tuple[Body, str], operation: str = ENTER) -> None:
    for body, code in wrong:
        with untouched(t):
            assert await t.refused("asha", operation, body) == code, body


@on_reactor
async def test_leaves_become_receipts_with_their_number_and_their_date(node: Node) -> None:
    async with town(node) as t:
        await t.done("omar", REGISTER, BOOK)
        entered = await t.done("asha", ENTER, FIRST)
        assert [(one.leaf, one.outcome, one.receipt) for one in entered.leaves] == [
            (501, "ENTERED", "B0017/2026-27/1"),
            (502, "SPOILT", ""),
            (503, "SUSPENSE", "B0017/2026-27/2"),
            (504, "SUSPENSE", "B0017/2026-27/3"),
            (505, "ENTERED", "B0017/2026-27/4"),
        ]
        assert entered.next_leaf == 506
        kept = "SELECT leaf, written_on::text, consumer FROM mpower.paper_leaves WHERE leaf = 504"
        assert t.look(kept) == [(504, "2026-11-21", "unreadable")]
        dues = await t.read("asha", "consumers.dues", Dues(RAM))
        assert (dues.unverified_paise, dues.last_receipt) == (12_000, "B0017/2026-27/4")
        book = await t.read("asha", "receipt_books.show", AskBook("B0017"))
        assert (book.entered, book.spoilt, book.suspense, book.total_paise) == (4, 1, 2, 13_000)
        cancel = Cancel("B0017/2026-27/1", "never was")
        assert await t.refused("omar", "payments.cancel", cancel) == "RECEIPT_COUNTED"
        assert await t.refused("asha.officer", "payments.verify", Verify("B0017", DAY)) == (
            "OWN_WORK"
        )
        assert (await t.done("omar", "payments.verify", Verify("B0017", DAY))).count == 2
        t.is_well()


@on_reactor
async def test_the_same_leaves_again_are_harmless_and_another_content_is_refused(
    node: Node,
) -> None:
    async with town(node) as t:
        await t.done("omar", REGISTER, BOOK)
        first = await t.done("asha", ENTER, FIRST)
        with untouched(t):
            again = await t.done("asha", ENTER, FIRST)
        assert [one.outcome for one in again.leaves] == ["BEFORE"] * 5
        assert [one.receipt for one in again.leaves] == [one.receipt for one in first.leaves]
        more = replace(FIRST, leaves=[*LEAVES, Leaf(506, DAY, SITA, 100)])
        both = await asyncio.gather(*(t.ask("asha", ENTER, more) for _ in range(4)))
        assert all(one.refusal is None for one in both)
        assert t.look("SELECT count(*) FROM mpower.paper_leaves") == [(6,)]
        other = replace(LEAVES[0], amount_paise=10_001)
        await nothing(
            t,
            (Enter("B0017", [other, Leaf(507, DAY, SITA, 1)]), "LEAF_KNOWN"),
            (Enter("B0017", [], [Spoilt(501, "no, torn")]), "LEAF_KNOWN"),
            (Enter("B0017", [Leaf(502, DAY, SITA, 1)]), "LEAF_KNOWN"),
        )
        t.is_well()


@on_reactor
async def test_what_does_not_go_on_in_order_is_refused_whole(node: Node) -> None:
    async with town(node) as t:
        await t.done("omar", REGISTER, BOOK)
        good = Leaf(501, DAY, RAM, 100)
        await nothing(
            t,
            (Enter("B0018", [good]), "NO_BOOK"),
            (Enter("C001", [good]), "NO_BOOK"),
            (Enter("B0017"), "NO_LEAVES"),
            (Enter("B0017", [replace(good, leaf=502)]), "LEAF_GAP"),
            (Enter("B0017", [good, replace(good, leaf=503)]), "LEAF_GAP"),
            (Enter("B0017", [good, good]), "LEAF_TWICE"),
            (Enter("B0017", [good], [Spoilt(501, "torn")]), "LEAF_TWICE"),
            (Enter("B0017", [replace(good, leaf=500)]), "LEAF_OUTSIDE"),
            (Enter("B0017", [], [Spoilt(511, "torn")]), "LEAF_OUTSIDE"),
            (Enter("B0017", [good, replace(good, leaf=502, amount_paise=0)]), "BAD_LEAF"),
            (Enter("B0017", [replace(good, amount_paise=10_00_000_01)]), "BAD_LEAF"),
            (Enter("B0017", [replace(good, mode="DD")]), "BAD_LEAF"),
            (Enter("B0017", [replace(good, date="2026-02-30")]), "BAD_LEAF"),
            (Enter("B0017", [replace(good, date="2026-11-25")]), "LEAF_AHEAD"),
        )
        assert t.look("SELECT count(*) FROM mpower.paper_leaves") == [(0,)]
        for body, code in (
            (BOOK, "BOOK_EXISTS"),
            (replace(BOOK, book="C002"), "COUNTER_EXISTS"),
            (replace(BOOK, book="B0018", counter="C009"), "NO_COUNTER"),
            (replace(BOOK, book="B0018", counter="SBI"), "NO_COUNTER"),
            (replace(BOOK, book="B0018", last=500), "BOOK_SPAN"),
        ):
            assert await t.refused("omar", REGISTER, body) == code
        t.is_well()


@on_reactor
async def test_a_closed_book_takes_nothing_and_names_what_was_left_over(node: Node) -> None:
    async with town(node) as t:
        await t.done("omar", REGISTER, BOOK)
        await t.done("asha", ENTER, FIRST)
        close = CloseBook("B0017", 506, "the line is up")
        assert await t.refused("omar", CLOSE, replace(close, next_leaf=507)) == "LEAVES_LEFT"
        closed = await t.done("omar", CLOSE, close)
        assert (closed.state, closed.next_leaf) == ("CLOSED", 506)
        assert await t.refused("omar", CLOSE, close) == "BOOK_CLOSED"
        await nothing(
            t, (FIRST, "BOOK_CLOSED"), (Enter("B0017", [Leaf(506, DAY, RAM, 1)]), "BOOK_CLOSED")
        )
        t.is_well()


@on_reactor
async def test_a_books_money_goes_to_the_bank_like_any_other(node: Node) -> None:
    async with town(node) as t:
        await t.done("omar", REGISTER, BOOK)
        await t.done("asha", ENTER, Enter("B0017", [Leaf(501, "2026-11-20", RAM, 10_000)]))
        await t.done("omar", "payments.verify", Verify("B0017", DAY))
        slip = await t.done("omar", "remittance.make", MakeSlip("HO", "CASH", cash=cash_of(10_000)))
        assert [(part.counter, part.paise) for part in slip.parts] == [("B0017", 10_000)]
        await t.close_day(DAY)
        late = Enter("B0017", [Leaf(502, DAY, RAM, 10_000)])
        assert await t.refused("asha", ENTER, late) == "DAY_NOT_OPEN"
        t.is_well()
