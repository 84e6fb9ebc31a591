"""Several people act at the same moment on the same accounts, and connections break meanwhile: the
ledger fits, nothing acknowledged is lost or doubled, and a replay says the same.
"""

from __future__ import annotations

import asyncio
import os
from typing import Final

import psycopg
import pytest
from hypothesis import strategies as st

from tests.database.by_hand.at_counters import give_a_book
from tests.database.by_hand.at_once import DEEDS, Session, Sums, begun, finished, fits
from tests.database.by_hand.drawn import for_any
from tests.database.by_hand.planted import (
    FORGOTTEN_MATCH,
    OTHER_REPLY,
    UNHELD_ADVANCE,
    UNHELD_BANK,
    UNHELD_BOOK,
    UNHELD_FUND,
    UNHELD_KEY,
    Plant,
    planted,
)
from tests.database.officers import appoint
from tests.database.town import Town, town
from tests.postgres_nodes import Node, on_reactor

EXAMPLES = 300 if os.environ.get("HYPOTHESIS_PROFILE") == "thorough" else 4
EXAMPLE_S = 40
KILLS = 4
"""Connections broken in one example."""
OFTEN = ("pay", "pay", "pay", "verify one", "verify a counter")
Acts = list[tuple[str, int, int]]
ACTS = st.lists(
    st.tuples(st.sampled_from([*DEEDS, *OFTEN]), st.integers(0, 10_000), st.integers(0, 60_000)),
    min_size=6,
    max_size=14,
)
KILL = (
    "SELECT count(pg_terminate_backend(pid)) FROM (SELECT pid FROM pg_stat_activity"
    " WHERE usename = 'mpower_app' AND datname = current_database() AND state <> 'idle' LIMIT 1) a"
)


async def act(session: Session, acts: Acts) -> None:
    for name, a, b in acts:
        await DEEDS[name](session, a, b)


class Breaker:
    """Ends somebody's connection in the middle of what it does, now and then."""

    kills = 0

    async def work(self, t: Town) -> None:
        base = await psycopg.AsyncConnection.connect(t.superuser, autocommit=True)
        async with base:
            while self.kills < KILLS:
                ((killed,),) = await (await base.execute(KILL)).fetchall()
                self.kills += killed
                await asyncio.sleep(0.05)


async def at_once(
    node: Node, before: Acts, acts: list[Acts], *plants: Plant, breaker: Breaker | None = None
) -> Sums:
    """Let each list of acts be done by a session of its own, all at once; what must hold, holds."""
    async with town(node) as t:
        appoint(t)
        await give_a_book(t)
        sums = begun()
        sessions = [Session(t, sums, f"S{n}", more=n) for n in range(len(acts))]
        await act(sessions[0], before)
        # A connection each: who has to open one first would come when the others have gone.
        await asyncio.gather(*(act(s, [("pay", n, 9_000 + n)]) for n, s in enumerate(sessions)))
        planted(t, *plants)
        breaking = asyncio.ensure_future(breaker.work(t)) if breaker else None
        try:
            await asyncio.gather(*(act(s, own) for s, own in zip(sessions, acts, strict=True)))
        finally:
            if breaking:
                breaking.cancel()
                await asyncio.gather(breaking, return_exceptions=True)
        await finished(t)
        await fits(t, sums)
        return sums


MONEY: Acts = [("pay", n, 4_000 + n) for n in range(16)]
"""Every consumer pays at both counters in every mode."""


@on_reactor
async def test_every_deed_is_done_by_somebody(node: Node) -> None:
    before: Acts = [
        *(("charge", n, 900 + n) for n in range(12)),
        *MONEY,
        *(("post a scroll", n, 30_000) for n in range(3)),
        *(("enter a leaf", n, 500 + n) for n in range(3)),
    ]
    each = [*DEEDS, "verify the day"]
    acts: list[Acts] = [
        [(name, place + n, 40 + n) for n in range(2) for name in each] for place in range(3)
    ]
    breaker = Breaker()
    sums = await at_once(node, before, acts, breaker=breaker)
    assert breaker.kills
    done = {one.operation for one in sums.deeds if one.outcome.refusal is None}
    assert done == {one.operation for one in sums.deeds}, "an operation was only ever refused"
    assert sums.verified


@on_reactor
async def test_any_legal_acts_at_once_leave_a_ledger_that_fits(node: Node) -> None:
    await for_any(
        st.lists(ACTS, min_size=2, max_size=3),
        lambda acts: at_once(node, MONEY[:6], acts, breaker=Breaker()),
        examples=EXAMPLES,
        example_s=EXAMPLE_S,
    )


REPEATED: Acts = [("charge", n, n + 1) for n in range(9)]
"""Every third of these requests is sent twice at the same moment."""
PLANTED: dict[str, tuple[Acts, list[Plant]]] = {
    "an advance waits for nobody": ([("refund", 2, 48_000)], UNHELD_ADVANCE),
    "money sent up waits for nobody": ([("send up", 2, 90_002)], UNHELD_FUND),
    "a line is matched by everybody": ([("match", 0, 0)], FORGOTTEN_MATCH),
    "a book is held by nobody": ([("enter a leaf", 0, 0)], UNHELD_BOOK),
    "a bank's reference waits for nobody": ([("post a scroll", 1, 500)], UNHELD_BANK),
    "a key waits for nobody": (REPEATED, UNHELD_KEY),
    "a replay says something else": (REPEATED, OTHER_REPLY),
    "a pick-up loses a paisa": (
        [("pick cash up", 0, 4_000)],
        [Plant("witness_pick_up_v1", "ARRAY[k.paise]", "ARRAY[k.paise - 1]")],
    ),
}
"""Acts that all three sessions do, and what is wrong. Of an advance, a fund, a line, a leaf, a
reference there is enough for one of them.
"""
TOWNS: Final = 5
"""Who is wrong by chance is right by chance too: a race that nobody ran shows nothing."""
GROUND: Acts = [*MONEY, ("post a scroll", 0, 30_000)]


@pytest.mark.parametrize("what", PLANTED)
@on_reactor
async def test_a_planted_race_is_seen(node: Node, what: str) -> None:
    acts, plants = PLANTED[what]
    for _ in range(TOWNS):
        try:
            await at_once(node, GROUND, [acts] * 3, *plants)
        except (AssertionError, psycopg.errors.UniqueViolation):
            return
    pytest.fail(f"{what}, and the ledger of {TOWNS} towns is said to fit")


@on_reactor
async def test_the_same_without_a_plant_fits(node: Node) -> None:
    acts = list(dict.fromkeys(act for own, _ in PLANTED.values() for act in own))
    await at_once(node, GROUND, [acts] * 3)
