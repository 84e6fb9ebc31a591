"""Pauses end, are few, and turn nobody away."""

import asyncio

import pytest

from mpowerd import pauses
from mpowerd.pauses import Pauses
from tests.postgres_nodes import on_reactor

LONG_S = 3_600.0


async def one_turn() -> None:
    """Let everybody who can run, run."""
    for _ in range(3):
        await asyncio.sleep(0)


@on_reactor
async def test_a_pause_ends_by_itself_and_lasts_no_less() -> None:
    waiting, loop = Pauses(), asyncio.get_running_loop()
    begun = loop.time()
    await waiting.wait(0.05)
    assert loop.time() - begun >= 0.05
    assert len(waiting) == 0


@on_reactor
async def test_one_too_many_lets_who_waited_longest_go_on_and_nobody_is_turned_away() -> None:
    waiting = Pauses()
    held = [asyncio.ensure_future(waiting.wait(LONG_S)) for _ in range(pauses.MOST)]
    await one_turn()
    assert not any(one.done() for one in held)
    held += [asyncio.ensure_future(waiting.wait(LONG_S)) for _ in range(2)]
    await one_turn()
    assert [one.done() for one in held] == [True] * 2 + [False] * pauses.MOST
    assert len(waiting) == pauses.MOST
    for one in held[2:]:
        one.cancel()
    await asyncio.gather(*held, return_exceptions=True)
    assert len(waiting) == 0


@on_reactor
async def test_who_hangs_up_leaves_at_once() -> None:
    waiting = Pauses()
    one = asyncio.ensure_future(waiting.wait(LONG_S))
    await one_turn()
    one.cancel()
    with pytest.raises(asyncio.CancelledError):
        await one
    assert len(waiting) == 0
