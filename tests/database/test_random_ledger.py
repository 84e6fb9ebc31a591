"""Any legal acts in any order leave a ledger that fits, and that is the one kept by hand beside it.

After every act everything is compared: each consumer's heads, what is payable, every number, every
balance against its entries. At the end the statement of each consumer and the trial balance.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import os
from contextlib import closing
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from protocols.accounts import CODES
from protocols.catalogue.ledger import Ask, AskTrial
from protocols.heads import HEAD_SLOTS
from tests.database.ledger_by_hand import ACTS, NUMBERS, Book
from tests.database.officers import appoint
from tests.database.town import DAY, here, town
from tests.postgres_nodes import Node, on_reactor

EXAMPLES = 20
"""Of some fifteen acts each: seconds."""
EXAMPLE_S = 30
"""A plan that fails is shown as it was drawn: to shrink it takes longer than a test may last."""
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


def compared(base: Base, book: Book) -> None:
    """The real ledger against the one kept by hand."""
    assert base.execute("SELECT what, which FROM mpower.ledger_check_v1()").fetchall() == []
    rows = base.execute(
        "SELECT account, balance_paise, owed_paise FROM mpower.accounts WHERE account >= 0"
    ).fetchall()
    stands = {account: balance for account, balance, _ in rows}
    owed = {account: paise for account, _, paise in rows}
    for number in NUMBERS:
        first = int(number) * 16
        heads = {head: stands.get(first + slot, 0) for head, slot in HEAD_SLOTS.items()}
        assert heads == book.heads[number]
        assert stands[first] == -book.received[number]
        assert owed[first] == sum(book.heads[number].values())
    numbers = base.execute(
        "SELECT counter, array_agg((receipt & 1073741823)::integer ORDER BY receipt)"
        " FROM mpower.requests WHERE receipt IS NOT NULL GROUP BY counter"
    ).fetchall()
    assert dict(numbers) == {
        counter: list(range(1, last + 1)) for counter, last in book.last.items() if last
    }


async def carried_out(node: Node, plan: Plan) -> set[str]:
    """Carry a plan out, comparing after each act; the kinds of vouchers it made."""
    before = here["date"]
    here["date"] = dt.date.fromisoformat(DAY)
    try:
        async with town(node) as t:
            book = Book()
            appoint(t)
            with closing(psycopg.connect(t.superuser, autocommit=True)) as base:
                for name, a, b in plan:
                    await ACTS[name](t, book, a, b)
                    compared(base, book)
            for number in NUMBERS:
                said = await t.read("omar", "ledger.statement", Ask(number, most=100))
                assert said.more or said.closing == book.payable(number)
            trial = await t.read("omar", "ledger.trial_balance", AskTrial())
            assert trial.debit == trial.credit
            assert {one.code for one in trial.groups} <= set(CODES)
            t.is_well()
            return {kind for (kind,) in t.look("SELECT DISTINCT kind FROM mpower.vouchers")}
    finally:
        here["date"] = before


STORY: Plan = [
    *(("take", n, 20_000 + n) for n in range(12)),
    ("take a batch", 3, 9_000),
    ("cancel", 1, 0),
    ("verify one", 0, 0),
    ("verify a counter", 0, 0),
    ("verify the day", 0, 0),
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


@on_reactor
async def test_every_act_acts(node: Node) -> None:
    made = await carried_out(node, STORY)
    assert made >= {"CANCEL", "VERIFY", "DISHONOUR", "RE_DEBIT", "MOVE", "REFUND", "CLOSING"}
    assert {name for name, _, _ in STORY} == set(ACTS)


@pytest.mark.parametrize("turn", range(ROUNDS))
@on_reactor
async def test_any_legal_acts_leave_a_ledger_that_fits(node: Node, turn: int) -> None:
    loop = asyncio.get_running_loop()

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.explicit, Phase.reuse, Phase.generate),
    )
    @given(PLANS)
    def any_plan(plan: Plan) -> None:
        asyncio.run_coroutine_threadsafe(carried_out(node, plan), loop).result(EXAMPLE_S)

    await asyncio.to_thread(any_plan)
