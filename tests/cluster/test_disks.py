"""A full or dead disk: who hands over, what is held back, and that only one thread waits for it."""

import asyncio
import threading
from typing import cast

import pytest

from cluster import actions as act
from cluster import events as ev
from cluster.opening import is_open
from cluster.postgres.control import Control
from cluster.senses import DISK_DEADLINE_S, DISK_LOOK_S, Senses
from cluster.states import State
from cluster.thinking import Thinking
from cluster.volume import Volume
from protocols.shell.clock import BootClock
from tests.cluster.test_machine import (
    Node,
    in_sync,
    peer_beat,
    primary_alone,
    primary_beat,
    standby_in_sync,
)
from tests.postgres_nodes import on_reactor

DEAD = ("read-only", "failing", "hung")


def ready(node: Node, **more: object) -> None:
    """The standby says that it may take over; the arbiter is heard."""
    record = node.mind.record
    assert record is not None
    node.feed(peer_beat(50, "STANDBY_SYNC", epoch=record.epoch, **more))
    node.feed(ev.RelayHeard(None, 0, "n1", record.epoch, node.now_s))


def stops(node: Node) -> list[act.Action]:
    return [one for one in node.ordered if isinstance(one, act.StopPostgres)]


@pytest.mark.parametrize("condition", [*DEAD, "full"])
def test_a_primary_hands_over_before_its_server_falls_over_the_disk(condition: str) -> None:
    node = in_sync()
    ready(node)
    node.feed(ev.DiskSeen(condition))
    assert (node.mind.state, is_open(node.mind)) == (State.READING, False)
    assert "disk" in node.mind.handover
    assert bool(stops(node)) is (condition in DEAD), "on a full one it may end what it has begun"


@pytest.mark.parametrize("more", [{"healthy": False}, {"disk_free_mb": 20}, {"leaving": "stop"}])
def test_nobody_is_offered_a_place_who_cannot_take_it(more: dict[str, object]) -> None:
    node = in_sync()
    ready(node, **more)
    node.feed(ev.DiskSeen("full"))
    assert node.mind.state is not State.READING


def test_alone_a_full_disk_serves_on() -> None:
    node = primary_alone()
    node.feed(ev.DiskSeen("full"))
    assert is_open(node.mind)
    node.feed(ev.Tick())
    assert "disk-full" in node.mind.alarms


def test_a_standby_does_not_claim_on_a_disk_that_takes_no_writes() -> None:
    node = standby_in_sync()
    node.feed(ev.DiskSeen("hung"))
    node.feed(ev.BeatHeard(0, primary_beat(1, "postmaster died")))
    assert not any(isinstance(one, act.SwapRecord) for one in node.ordered)
    node.feed(ev.DiskSeen(""))
    node.feed(ev.BeatHeard(0, primary_beat(2, "postmaster died")))
    assert node.swapped().primary == "b"


def test_what_died_on_a_full_disk_is_started_when_there_is_room_and_not_before() -> None:
    node = primary_alone()
    node.feed(ev.DiskSeen("full"))
    node.feed(ev.PostgresExited(1, asked=False))
    assert node.mind.state is State.READING
    node.feed(ev.RecordRead(node.mind.record, "n1"))
    for _ in range(100):
        node.feed(ev.Tick(), 0.2)
        assert not any(isinstance(one, act.StartPrimary | act.SwapRecord) for one in node.ordered)
    node.feed(ev.DiskSeen(""))
    node.feed(ev.Tick())
    node.feed(ev.SwapConfirmed(node.swapped().op_id, node.swapped()))
    assert any(isinstance(one, act.StartPrimary) for one in node.ordered)


class HungVolume:
    """A disk that answers when it is told to; ``threads`` waited for it."""

    def __init__(self) -> None:
        self.answers = threading.Event()
        self.threads: list[int] = []

    def look(self) -> ev.DiskSeen:
        self.threads.append(threading.get_ident())
        self.answers.wait()
        return ev.DiskSeen("", 500)


class Heard:
    """Takes the place of the machine."""

    def __init__(self) -> None:
        self.events: list[ev.Event] = []

    def take(self, event: ev.Event) -> None:
        self.events.append(event)


@on_reactor
async def test_a_hung_disk_is_told_at_its_deadline_and_only_one_thread_waits_for_it() -> None:
    disk, heard, clock = HungVolume(), Heard(), Ticking()
    senses = Senses(
        cast("Thinking", heard),
        cast("Control", None),
        cast("Volume", disk),
        cast("BootClock", clock),
        stalled=lambda _: None,
        fault=lambda where, wrong: None,
    )
    try:
        for _ in range(3):
            senses._look_at_disk(0.0)
            clock.now_s += max(DISK_LOOK_S, DISK_DEADLINE_S)
        assert len(disk.threads) <= 1
        disk.answers.set()
        async with asyncio.timeout(5.0):
            while len(heard.events) < 3:
                await asyncio.sleep(0.01)
    finally:
        disk.answers.set()
        senses.stop()
    said = [one.condition for one in heard.events if isinstance(one, ev.DiskSeen)]
    assert said == ["hung", "hung", ""], "and it is well again when it answers"


class Ticking:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def seconds(self) -> float:
        return self.now_s
