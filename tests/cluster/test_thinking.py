"""The machine's seat: one step at a time, told before obeyed, a stall told first, no step after an
error.
"""

from collections.abc import Sequence
from typing import Any

from twisted.internet.task import Clock

from cluster.actions import Action, Note
from cluster.events import Event, PostgresExited, ReadFailed, Tick
from cluster.thinking import TICK_S, Thinking


class Seat:
    """A thinking whose mind is the list of events it saw."""

    def __init__(self, orders: Sequence[tuple[type[Event], Action]] = ()) -> None:
        self.clock = Clock()
        self.done: list[str] = []
        self.faults: list[str] = []
        self.ordered = dict(orders)
        self.broken: type[Event] | None = None
        self.on_obey: Event | None = None
        self.thinking = Thinking(
            (),  # type: ignore[arg-type]  # the seat does not look into the mind
            self.step,
            self.clock,
            tell=lambda mind: self.done.append(f"told {len(mind)}"),  # type: ignore[arg-type]
            obey=self.obey,
            fault=lambda where, wrong: self.faults.append(f"{where}: {wrong}"),
        )

    def step(self, mind: Any, event: Event, now_s: float) -> tuple[Any, Sequence[Action]]:
        if self.broken is type(event):
            raise ZeroDivisionError("broken step")
        orders = [self.ordered[type(event)]] if type(event) in self.ordered else []
        return (*mind, (now_s, event)), orders

    def obey(self, order: Action) -> None:
        self.done.append(f"obeyed {type(order).__name__}")
        event, self.on_obey = self.on_obey, None
        if event is not None:
            self.thinking.take(event)
            self.done.append("came back")

    @property
    def seen(self) -> list[tuple[float, Event]]:
        return list(self.thinking.mind)  # type: ignore[call-overload,no-any-return]


def test_the_world_is_told_before_orders_run() -> None:
    seat = Seat([(ReadFailed, Note("n"))])
    seat.thinking.take(ReadFailed())
    assert seat.done == ["told 1", "obeyed Note"]


def test_an_event_during_a_step_waits_for_its_end() -> None:
    seat = Seat([(ReadFailed, Note("n"))])
    seat.on_obey = PostgresExited(1, asked=False)
    seat.thinking.take(ReadFailed())
    assert seat.done == ["told 1", "obeyed Note", "came back", "told 2"]


def test_a_stall_is_told_before_what_came_during_it() -> None:
    seat = Seat()
    seat.clock.advance(5.0)
    seat.thinking.take(ReadFailed())
    assert [event for _, event in seat.seen] == [Tick(5.0 - TICK_S), ReadFailed()]
    seat.thinking.tick()
    assert seat.seen[-1][1] == Tick(0.0), "the timer that comes late itself tells nothing twice"


def test_ticks_in_time_tell_no_gap() -> None:
    seat = Seat()
    for _ in range(3):
        seat.clock.advance(TICK_S)
        seat.thinking.tick()
    assert all(isinstance(e, Tick) and e.gap_s < 1e-9 for _, e in seat.seen)


def test_an_error_in_a_step_is_the_last_thing() -> None:
    seat = Seat()
    seat.broken = ReadFailed
    seat.thinking.take(ReadFailed())
    seat.thinking.take(PostgresExited(1, asked=False))
    assert seat.faults == ["ReadFailed: broken step"]
    assert seat.seen == []
