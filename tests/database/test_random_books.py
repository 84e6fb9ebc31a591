"""Whatever happens at the counters on some days, each day's cash book is the change of the trial
balance over that day, to the paisa, and stays so when later days have passed.
"""

from __future__ import annotations

import datetime as dt

from hypothesis import strategies as st

from mpowerd.payments.rules import MODES
from protocols.accounts import CODES
from protocols.catalogue.days import AskBook
from protocols.catalogue.ledger import AskTrial
from protocols.heads import HEAD_SLOTS
from tests.database.by_hand.acts import ACTS
from tests.database.by_hand.at_counters import PURPOSES, give_a_book
from tests.database.by_hand.book import Book
from tests.database.by_hand.drawn import for_any
from tests.database.officers import appoint
from tests.database.test_cash_book import agrees
from tests.database.town import DAY, Town, here, town
from tests.postgres_nodes import Node, on_reactor

EXAMPLES = 5
EXAMPLE_S = 30
LINKS = {"post a scroll", "match", "send up"}
"""What comes over a bank's link lies in no till."""
OFTEN = ("take", "take", "verify the day", "verify one", "dishonour", "next day")
Plan = list[tuple[str, int, int]]
PLANS = st.lists(
    st.tuples(
        st.sampled_from([*(name for name in ACTS if name not in LINKS), *OFTEN]),
        st.integers(0, 10_000),
        st.integers(0, 60_000),
    ),
    min_size=8,
    max_size=20,
)
CHARGED = """SELECT account %% 16, sum(amount_paise)::bigint FROM mpower.ledger_lines
    JOIN mpower.vouchers USING (voucher) WHERE day = %s AND account >= 0
    AND kind NOT IN ('VERIFY', 'DISHONOUR', 'CANCEL') GROUP BY 1"""
"""What officers charged and moved: no money of a counter, and in no cash book."""
IN_HAND = {"CASH": ("CASH", "STRONG_ROOM", "FLOAT")}
ADVANCE = PURPOSES.index("ADVANCE") + 100 * len(PURPOSES)
"""An amount of an advance, which anybody may pay."""
STORY: Plan = [
    *(("take", n, ADVANCE) for n in range(6)),
    ("cancel", 1, 0),
    ("enter leaves", 0, 900),
    ("verify the day", 0, 0),
    ("dishonour", 0, 0),
    *(("take", n, ADVANCE) for n in range(2)),
    ("next day", 0, 0),
    ("dishonour", 1, 0),
    ("take", 4, ADVANCE),
]


async def stands(t: Town, day: dt.date) -> dict[str, int]:
    """The trial balance at the end of a date: each group, debits less credits."""
    trial = await t.read("omar", "ledger.trial_balance", AskTrial(str(day)))
    return {one.code: one.debit - one.credit for one in trial.groups}


async def fits(t: Town, day: dt.date) -> int:
    """Compare a day's cash book with the trial balance; how much came back that day, paise."""
    book = await t.read("omar", "days.cash_book", AskBook(str(day), "HO"))
    before, after = await stands(t, day - dt.timedelta(days=1)), await stands(t, day)
    change = {code: after.get(code, 0) - before.get(code, 0) for code in CODES}
    charged = dict(t.look(CHARGED, day))
    posted = {one.head: one.posted - one.returned for one in book.heads}
    for head, slot in HEAD_SLOTS.items():
        assert change[head] == charged.get(slot, 0) - posted.get(head, 0), head
    taken = sum(line.received - line.cancelled for line in book.modes)
    verified = sum(one.posted for one in book.heads)
    assert change["RECEIVED"] + change["SUSPENSE"] == verified - taken
    closing = {line.name: line.closing for line in book.modes}
    for mode in MODES:
        groups = IN_HAND.get(mode, (mode,))
        assert closing.get(mode, 0) == sum(after.get(code, 0) for code in groups), mode
    if str(day) == DAY:
        assert sum(one.paise for one in book.waiting) == -after.get("RECEIVED", 0)
    agrees(book)
    return sum(one.returned for one in book.heads)


async def carried_out(node: Node, plan: Plan) -> list[int]:
    """Carry a plan out, then compare each of its days; what came back on each."""
    before = here["date"]
    here["date"] = dt.date.fromisoformat(DAY)
    try:
        async with town(node) as t:
            book = Book()
            appoint(t)
            await give_a_book(t)
            for name, a, b in plan:
                await ACTS[name](t, book, a, b)
            days = (dt.date.fromisoformat(book.day) - dt.date.fromisoformat(DAY)).days + 1
            first = dt.date.fromisoformat(DAY)
            return [await fits(t, first + dt.timedelta(days=n)) for n in range(days)]
    finally:
        here["date"] = before


@on_reactor
async def test_cheques_that_come_back_are_in_the_book_of_the_day_they_did(node: Node) -> None:
    back = await carried_out(node, STORY)
    assert len(back) == 2
    assert all(back)


@on_reactor
async def test_any_days_cash_book_is_the_change_of_the_trial_balance(node: Node) -> None:
    await for_any(
        PLANS, lambda plan: carried_out(node, plan), examples=EXAMPLES, example_s=EXAMPLE_S
    )
