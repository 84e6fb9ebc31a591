"""Checkpoints go to the arbiter in measure, and the newest goes in the end."""

from __future__ import annotations

from cluster.arbiter import ArbiterUnreachable
from mpowerd.audit.outside import EVERY_S, Outside
from protocols.checkpoints import Checkpoint, line_of
from tests.postgres_nodes import on_reactor


def made(size: int) -> Checkpoint:
    return Checkpoint(size, b"r" * 32, "2026-11-24T10:00:00+00:00", 1, b"s" * 64)


class World:
    def __init__(self) -> None:
        self.now_s, self.left, self.trouble = 0.0, list[str](), ""
        self.outside = Outside(self.leave, self.look, lambda: self.now_s)

    async def leave(self, text: str) -> str:
        if self.trouble == "gone":
            raise ArbiterUnreachable("gone")
        if not self.trouble:
            self.left.append(text)
        return self.trouble

    async def look(self) -> list[str]:
        if self.trouble == "gone":
            raise ArbiterUnreachable("gone")
        return self.left

    async def offer(self, size: int, after_s: float) -> None:
        self.now_s += after_s
        await self.outside.keep(made(size))


@on_reactor
async def test_the_newest_is_left_twice_a_minute_and_once() -> None:
    world = World()
    for size in range(1, 13):
        await world.offer(size, 5.0)
    assert world.left == [line_of(made(1)), line_of(made(7))]
    for _ in range(12):
        await world.offer(12, 5.0)
    assert world.left[2:] == [line_of(made(12))]


@on_reactor
async def test_what_was_not_kept_is_left_again() -> None:
    world = World()
    for trouble in ("gone", "its disk is full"):
        world.trouble = trouble
        await world.offer(1, EVERY_S)
    assert world.left == []
    world.trouble = ""
    await world.offer(1, EVERY_S)
    assert world.left == [line_of(made(1))]
