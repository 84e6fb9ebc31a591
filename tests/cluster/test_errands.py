"""Orders carried out: PostgreSQL's one after the other, a stop overtakes, every outcome reported
once.
"""

import asyncio
from pathlib import Path
from typing import Any

from cluster import actions as do
from cluster import events as ev
from cluster.arbiter import ArbiterUnreachable, Reading, Swapped, SwapUnknown
from cluster.duties import Duties
from cluster.errands import Errands
from cluster.keepsake import Keepsake
from cluster.postgres.troubles import PostgresTroubleError
from protocols.peer import NodeBeat, Relay
from tests.cluster.first_record import FIRST
from tests.postgres_nodes import on_reactor

WAIT_S = 5.0


class SlowDuties(Duties):
    """Duties that end when the test says so, or when the server is stopped."""

    def __init__(self) -> None:
        # Nothing of the real duties is used: they have a suite of their own.
        self.began: list[do.Action] = []
        self.stops: list[str] = []
        self.ends: dict[type[do.Action], asyncio.Future[Any]] = {}
        self.stop_ends = asyncio.Event()
        self.stop_ends.set()

    async def carry_out(self, action: do.Action) -> ev.Event | None:
        self.began.append(action)
        end = self.ends[type(action)] = asyncio.get_running_loop().create_future()
        outcome: ev.Event | None = await end
        return outcome

    @property
    def running(self) -> bool:
        return False

    async def stop(self, mode: str, deadline_s: float = do.STOP_DEADLINE_S) -> int:
        self.stops.append(mode)
        for end in self.ends.values():
            if not end.done():
                end.set_exception(PostgresTroubleError("the server is gone"))
        await self.stop_ends.wait()
        return -1


class Bench:
    """Errands over slow duties; what they report and the faults."""

    def __init__(self, folder: Path) -> None:
        self.duties = SlowDuties()
        self.arbiter = MarkingArbiter()
        self.reports: list[ev.Event] = []
        self.faults: list[str] = []
        self.keepsake = Keepsake(folder, "demo", "a")
        self.errands = Errands(
            self.duties,
            self.arbiter,
            self.keepsake,
            self.reports.append,
            lambda where, wrong: self.faults.append(f"{where}: {wrong}"),
        )

    async def until(self, what: str) -> None:
        """Let the loop run until this expression over the bench holds."""
        async with asyncio.timeout(WAIT_S):
            while not eval(what, {"b": self, "ev": ev, "do": do}):
                await asyncio.sleep(0.001)

    async def close(self) -> None:
        await self.errands.close(0.05)
        self.keepsake.close()


class MarkingArbiter:
    """An arbiter that stores everything; ``trouble`` is raised instead."""

    def __init__(self) -> None:
        self.trouble: Exception | None = None

    async def read(self) -> Reading:
        if self.trouble:
            raise self.trouble
        return Reading(FIRST, "n1")

    async def swap(self, expected: int | None, record: Any) -> Swapped:
        if self.trouble:
            raise self.trouble
        return Swapped(done=expected is None, record=FIRST, nonce="n1")

    async def beat(self, beat: NodeBeat) -> Relay:
        raise ArbiterUnreachable("no beats here")

    async def adopt(self) -> None:
        """Nothing was known of it."""

    async def keep(self, text: str) -> str:
        return "nothing is kept here"

    async def kept(self) -> list[str]:
        return []

    def view(self) -> dict[str, Any]:
        return {}


@on_reactor
async def test_orders_run_one_after_the_other(tmp_path: Path) -> None:
    b = Bench(tmp_path)
    b.errands.order(do.SetNames("x"))
    b.errands.order(do.WriteFence(3))
    await b.until("len(b.duties.began) == 1")
    b.errands.order(do.KeepEpoch(5, 1))
    await b.until("b.reports == [ev.EpochKept(5, 1)]")
    assert len(b.duties.began) == 1, "the fence waits for the names, the epoch for nobody"
    b.duties.ends[do.SetNames].set_result(ev.NamesSet("x"))
    await b.until("len(b.duties.began) == 2")
    b.duties.ends[do.WriteFence].set_exception(PostgresTroubleError("no"))
    await b.until("len(b.reports) == 3")
    assert b.reports[1:] == [ev.NamesSet("x"), ev.ActionFailed("WriteFence", "no")]
    await b.close()


@on_reactor
async def test_a_stop_overtakes_and_what_it_overtook_is_not_reported(tmp_path: Path) -> None:
    b = Bench(tmp_path)
    b.errands.order(do.StartPrimary(""))
    b.errands.order(do.SetNames("x"))
    await b.until("len(b.duties.began) == 1")
    b.errands.order(do.StopPostgres("immediate"))
    b.errands.order(do.StartStandby("b", 0))
    await b.until("len(b.duties.began) == 2")
    assert b.duties.began == [do.StartPrimary(""), do.StartStandby("b", 0)]
    assert b.duties.stops == ["immediate", "immediate"], "what ran may have started a server"
    assert b.reports == [ev.PostgresExited(0, asked=True)]
    await b.close()


@on_reactor
async def test_of_two_stops_only_the_last_reports_and_later_orders_wait_for_it(
    tmp_path: Path,
) -> None:
    b = Bench(tmp_path)
    b.duties.stop_ends.clear()
    b.errands.order(do.StopPostgres("fast"))
    await b.until("b.duties.stops == ['fast']")
    b.errands.order(do.StopPostgres("immediate"))
    b.errands.order(do.StartStandby("b", 0))
    await b.until("b.duties.stops == ['fast', 'immediate']")
    assert b.duties.began == []
    b.duties.stop_ends.set()
    await b.until("len(b.duties.began) == 1")
    assert b.reports == [ev.PostgresExited(0, asked=True)]
    await b.close()


@on_reactor
async def test_a_stop_with_nothing_running_is_reported(tmp_path: Path) -> None:
    b = Bench(tmp_path)
    b.errands.order(do.StopPostgres("fast"))
    await b.until("b.reports == [ev.PostgresExited(0, asked=True)]")
    await b.close()


@on_reactor
async def test_a_swap_carries_the_wall_time_for_people(tmp_path: Path) -> None:
    b = Bench(tmp_path)
    b.errands.order(do.SwapRecord(None, FIRST))
    await b.until("len(b.reports) == 1")
    done = b.reports[0]
    assert isinstance(done, ev.SwapConfirmed)
    assert done.record.wall_time > 1e9
    await b.close()


@on_reactor
async def test_what_must_not_happen_is_a_fault(tmp_path: Path) -> None:
    b = Bench(tmp_path)
    b.errands.order(do.SetNames("x"))
    await b.until("len(b.duties.began) == 1")
    b.duties.ends[do.SetNames].set_exception(ZeroDivisionError("ours"))
    await b.until("b.faults == ['errands: ours']")
    assert b.reports == []
    await b.close()


@on_reactor
async def test_what_the_arbiter_says_becomes_one_event(tmp_path: Path) -> None:
    b = Bench(tmp_path)
    for trouble, expected, event in [
        (None, 7, ev.SwapRefused("op-1", FIRST)),
        (ArbiterUnreachable("gone"), None, ev.SwapFailed("op-1")),
        (SwapUnknown("silent"), None, ev.SwapAmbiguous("op-1")),
    ]:
        b.reports.clear()
        b.arbiter.trouble = trouble
        b.errands.order(do.SwapRecord(expected, FIRST))
        await b.until("b.reports != []")
        assert b.reports == [event]
    b.reports.clear()
    b.arbiter.trouble = ArbiterUnreachable("gone")
    b.errands.order(do.ReadTheRecord())
    await b.until("b.reports == [ev.ReadFailed()]")
    b.arbiter.trouble = None
    b.errands.order(do.ReadTheRecord())
    await b.until("len(b.reports) == 2")
    assert b.reports[1] == ev.RecordRead(FIRST, "n1")
    await b.close()


@on_reactor
async def test_a_disk_that_refuses_the_epoch_is_told_and_ends_nothing(tmp_path: Path) -> None:
    b = Bench(tmp_path)
    b.keepsake.keep_epoch(4, 1)
    (tmp_path / "keepsake.json.new").mkdir()  # where the next one is written
    b.errands.order(do.KeepEpoch(5, 1))
    await b.until("len(b.reports) == 1")
    assert isinstance(b.reports[0], ev.ActionFailed)
    assert b.reports[0].action == "KeepEpoch"
    assert not b.faults
    (tmp_path / "keepsake.json.new").rmdir()
    b.errands.order(do.KeepEpoch(5, 1))
    await b.until("b.reports[1:] == [ev.EpochKept(5, 1)]")
    await b.close()
