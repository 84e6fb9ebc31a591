"""Any legal acts in any order leave a ledger that fits, and that is the one kept by hand beside it.

After every act everything is compared: each account of consumers, counters, banks and the board,
every number, every balance against its entries. At the end the statement of each consumer and the
trial balance.
"""

from __future__ import annotations

import datetime as dt
import os
from contextlib import closing
from typing import Any

import psycopg
import pytest
from hypothesis import strategies as st

from protocols.accounts import CODES, group_of
from protocols.catalogue.ledger import Ask, AskTrial
from tests.database.by_hand.acts import ACTS
from tests.database.by_hand.at_counters import give_a_book
from tests.database.by_hand.book import NUMBERS, Book
from tests.database.by_hand.drawn import for_any
from tests.database.by_hand.planted import FORGOTTEN_MATCH, Plant, planted
from tests.database.officers import appoint
from tests.database.town import DAY, Town, here, town
from tests.postgres_nodes import Node, on_reactor

EXAMPLES = 12
"""Of some fifteen acts each: seconds."""
EXAMPLE_S = 30
ROUNDS = 25 if os.environ.get("HYPOTHESIS_PROFILE") == "thorough" else 1
OFTEN = ("take", "take", "take a batch", "verify the day", "verify a counter", "verify one")
"""Without these the other acts find nothing to act on."""
Plan = list[tuple[str, int, int]]
PLANS = st.lists(
    st.tuples(st.sampled_from([*ACTS, *OFTEN]), st.integers(0, 10_000), st.integers(0, 60_000)),
    min_size=8,
    max_size=24,
)


Base = psycopg.Connection[tuple[Any, ...]]


PLACES = (
    "SELECT CASE WHEN a.account >= 0 THEN lpad((a.account >> 4)::text, 10, '0')"
    " WHEN a.account > -16 THEN 'HO' ELSE c.code END, CASE WHEN a.account >= 0 THEN 'CONSUMER'"
    " WHEN a.account > -16 THEN 'BOARD' ELSE 'COUNTER' END, (abs(a.account) % 16)::integer,"
    " a.balance_paise FROM mpower.accounts a LEFT JOIN mpower.counters c"
    " ON a.account < -15 AND c.counter_id = -a.account >> 4 WHERE a.balance_paise <> 0"
)
NUMBERED = (
    "SELECT counter, array_agg((receipt & 1073741823)::integer ORDER BY receipt)"
    " FROM mpower.requests WHERE receipt IS NOT NULL GROUP BY counter"
)


def compared(base: Base, book: Book) -> None:
    """The real ledger against the one kept by hand: every account, and every number."""
    assert base.execute("SELECT what, which FROM mpower.ledger_check_v1()").fetchall() == []
    stands = {
        (owner, group_of(kind, slot).code): paise
        for owner, kind, slot, paise in base.execute(PLACES).fetchall()
    }
    assert stands == book.accounts()
    assert sum(stands.values()) == 0
    numbers = base.execute(NUMBERED).fetchall()
    assert dict(numbers) == {
        series: list(range(1, last + 1)) for series, last in book.last.items() if last
    }


async def stated(t: Town, book: Book, number: str) -> None:
    """A statement's pages, newest first, join to one chain from nothing to what is payable; one of
    today goes on where one up to yesterday ends.
    """
    until, mark, lines = book.payable(number), "", 0
    while True:
        said = await t.read("omar", "ledger.statement", Ask(number, most=7, mark=mark))
        assert said.closing == until
        running = said.opening
        for line in said.lines:
            running += line.paise
            assert running == line.balance
            assert line.paise == sum(one.paise for one in line.heads)
        assert running == said.closing
        lines += len(said.lines)
        until, mark = said.opening, said.mark
        if not said.more:
            break
    assert until == 0
    before = str(dt.date.fromisoformat(book.day) - dt.timedelta(days=1))
    today = await t.read("omar", "ledger.statement", Ask(number, since=book.day, most=100))
    older = await t.read("omar", "ledger.statement", Ask(number, until=before, most=100))
    assert today.more or older.more or len(today.lines) + len(older.lines) == lines
    assert today.more or older.closing == today.opening
    assert today.closing == book.payable(number)


async def carried_out(node: Node, plan: Plan, *plants: Plant) -> set[str]:
    """Carry a plan out, comparing after each act; the kinds of vouchers it made."""
    before = here["date"]
    here["date"] = dt.date.fromisoformat(DAY)
    try:
        async with town(node) as t:
            book = Book()
            appoint(t)
            await give_a_book(t)
            planted(t, *plants)
            with closing(psycopg.connect(t.superuser, autocommit=True)) as base:
                for name, a, b in plan:
                    await ACTS[name](t, book, a, b)
                    compared(base, book)
            for number in NUMBERS:
                await stated(t, book, number)
            trial = await t.read("omar", "ledger.trial_balance", AskTrial())
            assert trial.debit == trial.credit
            assert {one.code for one in trial.groups} <= set(CODES)
            t.is_well()
            return {kind for (kind,) in t.look("SELECT DISTINCT kind FROM mpower.vouchers")}
    finally:
        here["date"] = before


STORY: Plan = [
    *(("charge", n, 900 + n) for n in range(20)),
    *(("take", n, 20_000 + n) for n in range(12)),
    *(("take", n, n) for n in range(4, 9)),
    ("take a batch", 3, 9_000),
    ("cancel", 1, 0),
    ("pick cash up", 0, 4_000),
    *(("enter leaves", n, 300 + n) for n in range(4)),
    *(("post a scroll", n, 30_000 + n) for n in range(4)),
    ("verify one", 0, 0),
    ("verify a counter", 0, 0),
    ("verify the day", 0, 0),
    *(("match", n, n) for n in range(8)),
    *(("send up", n, 40 + n) for n in range(12)),
    *(("dishonour", n, 0) for n in range(3)),
    *(("move a receipt", n, n) for n in range(0, 12, 2)),
    *(("move an advance", n, 10) for n in range(4)),
    *(("refund", n, 10) for n in range(4)),
    ("count a till", 0, 0),
    ("take", 2, 700),
    ("take", 3, 700),
    ("next day", 0, 0),
    ("take", 4, 900),
]
MADE = {"CANCEL", "VERIFY", "PICK_UP", "CLOSING", "CHARGE", "DISHONOUR", "RE_DEBIT", "MOVE"} | {
    *("SENT_UP", "MATCH", "REFUND"),
}


@on_reactor
async def test_every_act_acts(node: Node) -> None:
    made = await carried_out(node, STORY)
    assert made >= MADE
    assert {name for name, _, _ in STORY} == set(ACTS)


PLANTED: dict[str, tuple[Plan, list[Plant]]] = {
    "a compounding fee is the board's": (
        [("charge", 0, 903)],
        [Plant("raise_charge_v1", "WHEN 11 THEN -10", "WHEN 11 THEN -7")],
    ),
    "a head of its own is paid twice": (
        [("charge", 0, 902), ("take", 0, 7), ("verify the day", 0, 0)],
        [Plant("post_receipts_v1", "(voucher_number, true)", "(voucher_number)")],
    ),
    "duty is not held for the State": (
        [("take", 0, 62_999), ("verify the day", 0, 0)],
        [Plant("post_receipts_v1", "WHEN 5 THEN -5", "WHEN 5 THEN -6")],
    ),
    "cash picked up is in transit": (
        [("take", 0, 9_001), ("pick cash up", 0, 4_000)],
        [Plant("witness_pick_up_v1", "* 16 + 9)", "* 16 + 8)")],
    ),
    "a bank's unknown money is the board's suspense": (
        [("post a scroll", 0, 900)],
        [Plant("post_lines", "-(bringer::bigint * 16 + 15)", "-9")],
    ),
    "a leaf's cash is taken into the till": (
        [("enter leaves", 0, 900)],
        [Plant("enter_leaves_v1", "slots, modes, inst", "array_replace(slots, 9, 1), modes, inst")],
    ),
    "a spoilt leaf is open still": (
        [("enter leaves", 0, 900)] * 2,
        [Plant("enter_leaves_v1", "+ n + cardinality(spoilt)", "+ n")],
    ),
    "a matched line stays in suspense": (
        [("post a scroll", 0, 900), ("match", 0, 1), ("match", 0, 1)],
        FORGOTTEN_MATCH,
    ),
    "money sent up stays between offices": (
        [("post a scroll", 0, 900), ("send up", 2, 302)],
        [Plant("transfer_v1", "debits, credits, parts", "debits[1:1], credits[1:1], parts[1:1]")],
    ),
    "a refund is a paisa short": (
        [("refund", 2, 900)],
        [Plant("transfer_v1", "credits, parts, value", "credits, ARRAY[parts[1] - 1], value")],
    ),
}


@pytest.mark.parametrize("what", PLANTED)
@on_reactor
async def test_a_planted_bug_is_seen(node: Node, what: str) -> None:
    plan, plants = PLANTED[what]
    with pytest.raises(AssertionError):
        await carried_out(node, plan, *plants)


@on_reactor
async def test_the_same_without_a_plant_fits(node: Node) -> None:
    assert await carried_out(node, [act for plan, _ in PLANTED.values() for act in plan])


@pytest.mark.parametrize("turn", range(ROUNDS))
@on_reactor
async def test_any_legal_acts_leave_a_ledger_that_fits(node: Node, turn: int) -> None:
    await for_any(
        PLANS, lambda plan: carried_out(node, plan), examples=EXAMPLES, example_s=EXAMPLE_S
    )
