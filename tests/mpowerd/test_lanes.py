"""A lane posts what waits together, gives every intent one answer, and lets no bad one hurt its
neighbours.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import psycopg
import pytest

from mpowerd.database import Doubtful, Gated
from mpowerd.lanes import Lane
from protocols.operation import Role
from protocols.refusals import Refused
from tests.mpowerd.people import caller
from tests.postgres_nodes import on_reactor

CLERK = caller()
OFFICER = caller(Role.OFFICER)


class Poison(psycopg.errors.LockNotAvailable):
    """One item's lock timeout: the whole statement fails."""


class Books:
    """Posts items; a batch with a poisoned one fails whole, as a statement does."""

    def __init__(self) -> None:
        self.batches: list[tuple[str, list[Any]]] = []
        self.poison: dict[Any, Exception] = {}
        self.gate = asyncio.Event()
        self.gate.set()
        self.now_s = 0.0

    async def post(self, role: Role, items: Sequence[Any]) -> Sequence[str]:
        self.batches.append((role, list(items)))
        await self.gate.wait()
        for item in items:
            if item in self.poison:
                raise self.poison[item]
        return [f"receipt {item}" for item in items]

    def clock(self) -> float:
        return self.now_s


def lane_of(books: Books, cap: int = 128, queue: int = 1000) -> Lane[str]:
    lane: Lane[str] = Lane(books.post, books.clock, cap, queue)
    lane.start()
    return lane


async def posted(
    lane: Lane[str], books: Books, offers: list[tuple[str, Any, Any]]
) -> dict[Any, list[Any]]:
    """Offer (key, caller, item) while a first batch is in the making; give all answers by item."""
    answers: dict[Any, list[Any]] = {}
    done = asyncio.Event()
    books.gate.clear()

    def first(outcome: Any) -> None:
        answers["first"] = [outcome]

    lane.offer("first", CLERK, "first", first)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    for key, who, item in offers:

        def answer(outcome: Any, item: Any = item) -> None:
            answers.setdefault(item, []).append(outcome)
            if sum(map(len, answers.values())) == len(offers) + 1:
                done.set()

        lane.offer(key, who, item, answer)
    books.gate.set()
    await done.wait()
    await lane.close()
    return answers


def codes(answers: dict[Any, list[Any]]) -> dict[Any, str]:
    assert all(len(one) == 1 for one in answers.values()), "one answer each"
    return {
        item: one[0].code if isinstance(one[0], Refused) else one[0]
        for item, one in answers.items()
    }


@on_reactor
async def test_what_arrives_while_a_batch_commits_joins_the_next_one() -> None:
    books = Books()
    answers = await posted(lane_of(books), books, [(f"k{n}", CLERK, n) for n in range(50)])
    assert [len(items) for _, items in books.batches] == [1, 50]
    assert codes(answers)[7] == "receipt 7"


@on_reactor
async def test_a_batch_is_capped() -> None:
    books = Books()
    await posted(lane_of(books, cap=8), books, [(f"k{n}", CLERK, n) for n in range(20)])
    assert [len(items) for _, items in books.batches] == [1, 8, 8, 4]


@on_reactor
async def test_a_key_twice_waits_for_the_next_batch_and_overtakes_nobody() -> None:
    books = Books()
    offers = [("k", CLERK, 1), ("k", CLERK, 2), ("other", CLERK, 3), ("k", CLERK, 4)]
    answers = await posted(lane_of(books), books, offers)
    assert [items for _, items in books.batches] == [["first"], [1, 3], [2], [4]]
    assert len(codes(answers)) == 5


@on_reactor
async def test_a_batch_has_one_role() -> None:
    books = Books()
    offers = [("a", CLERK, 1), ("b", OFFICER, 2), ("c", CLERK, 3)]
    await posted(lane_of(books), books, offers)
    assert books.batches[1:] == [("clerk", [1, 3]), ("officer", [2])]


@on_reactor
async def test_one_poisoned_item_leaves_its_neighbours_unharmed() -> None:
    books = Books()
    books.poison = {13: Poison()}
    answers = await posted(lane_of(books), books, [(f"k{n}", CLERK, n) for n in range(32)])
    said = codes(answers)
    assert said.pop(13) == "BUSY"
    assert set(said.values()) == {f"receipt {item}" for item in said}


@on_reactor
async def test_a_fault_is_one_items_own() -> None:
    books = Books()
    books.poison = {3: ValueError("never seen before")}
    said = codes(await posted(lane_of(books), books, [(f"k{n}", CLERK, n) for n in range(8)]))
    assert said.pop(3) == "FAULT"
    assert set(said.values()) == {f"receipt {item}" for item in said}


@pytest.mark.parametrize(
    ("error", "code"), [(Doubtful(), "PENDING"), (Gated(), "NOT_PRIMARY"), (TimeoutError(), "BUSY")]
)
@on_reactor
async def test_what_is_nobodys_fault_is_told_to_all_and_not_tried_again(
    error: Exception, code: str
) -> None:
    books = Books()
    books.poison = {0: error}
    said = codes(await posted(lane_of(books), books, [(f"k{n}", CLERK, n) for n in range(8)]))
    del said["first"]
    assert set(said.values()) == {code}
    assert len(books.batches) == 2


@on_reactor
async def test_parting_ends_in_time_and_the_rest_is_busy() -> None:
    books = Books()
    lane: Lane[str] = Lane(books.post, lambda: float(len(books.batches)), 128, 1000)
    lane.start()
    books.poison = {31: Poison()}
    said = codes(await posted(lane, books, [(f"k{n}", CLERK, n) for n in range(32)]))
    assert set(said.values()) >= {"BUSY", "receipt 0"}
    assert len(books.batches) < 6


@on_reactor
async def test_a_full_queue_is_busy() -> None:
    books = Books()
    lane = lane_of(books, queue=2)
    for n in range(2):
        lane.offer(n, CLERK, n, lambda _: None)
    with pytest.raises(Refused, match="BUSY"):
        lane.offer(3, CLERK, 3, lambda _: None)
    await lane.close()


@on_reactor
async def test_a_closing_lane_tells_who_waits() -> None:
    books = Books()
    books.gate.clear()
    lane = lane_of(books, cap=1)
    answers: list[Any] = []
    lane.offer(1, CLERK, 1, answers.append)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    lane.offer(2, CLERK, 2, answers.append)
    closing = asyncio.ensure_future(lane.close())
    await asyncio.sleep(0)
    books.gate.set()
    await closing
    assert answers[0] == "receipt 1"
    assert answers[1].code == "NOT_PRIMARY"
    with pytest.raises(Refused, match="NOT_PRIMARY"):
        lane.offer(3, CLERK, 3, answers.append)


@on_reactor
async def test_a_listener_that_breaks_costs_nobody_else_the_answer() -> None:
    books, answers = Books(), asyncio.Queue[Any]()
    lane = lane_of(books)

    def broken(outcome: Any) -> None:
        raise ZeroDivisionError

    lane.offer(1, CLERK, 1, broken)
    lane.offer(2, CLERK, 2, answers.put_nowait)
    assert await answers.get() == "receipt 2"
    await lane.close()
