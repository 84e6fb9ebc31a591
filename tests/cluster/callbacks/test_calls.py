"""The operator's programs as real processes: told only what is meant, killed as a group, one at a
time, and never in the node's way.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from cluster.callbacks.calls import QUEUE, Calls, environment_of
from cluster.callbacks.program import KEPT_BYTES, Program
from cluster.chronicle import Chronicle
from cluster.happening import Happening
from tests.postgres_nodes import on_reactor

LIMIT_S = 20.0


def happening(kind: str = "role", *, text: str = "It is so.", alarm: str = "") -> Happening:
    return Happening(
        kind=kind,
        node="a",
        state="PRIMARY_SOLO",
        role="primary",
        open=True,
        copies=1,
        epoch=4,
        term=2,
        primary="a",
        text=text,
        was="standby",
        alarm=alarm,
    )


def script(folder: Path, body: str, name: str = "call") -> str:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)


class House:
    """Calls with their chronicle."""

    def __init__(self, programs: dict[str, str], deadline_s: float = 10.0) -> None:
        self.chronicle = Chronicle("a", time.time, time.monotonic)
        self.calls = Calls(programs, "demo", self.chronicle, deadline_s)

    @property
    def notes(self) -> list[str]:
        return [line.text for line in self.chronicle.lines]


@asynccontextmanager
async def house(programs: dict[str, str], deadline_s: float = 10.0) -> AsyncIterator[House]:
    one = House(programs, deadline_s)
    try:
        yield one
    finally:
        await one.calls.close(0.0)


async def until(met: Callable[[], bool]) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not met():
            await asyncio.sleep(0.01)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@on_reactor
async def test_a_program_is_told_what_happened_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSWORD", "secret")
    monkeypatch.setenv("MPOWER_KEY", "not for it")
    out = tmp_path / "out"
    async with house({"role": script(tmp_path, f"env > {out}.new; mv {out}.new {out}")}) as one:
        one.calls.heard(happening(text="two\nlines; $(reboot)"))
        one.calls.heard(happening("gate"))
        await until(out.exists)
        said = dict(line.split("=", 1) for line in out.read_text().splitlines())
    expected = {
        "MPOWER_EVENT": "role",
        "MPOWER_CLUSTER": "demo",
        "MPOWER_NODE": "a",
        "MPOWER_STATE": "PRIMARY_SOLO",
        "MPOWER_WAS": "standby",
        "MPOWER_ROLE": "primary",
        "MPOWER_GATE": "open",
        "MPOWER_TERM": "2",
        "MPOWER_REASON": "two lines; $(reboot)",
    }
    assert said.items() >= expected.items()
    assert not {"PGPASSWORD", "MPOWER_KEY", "HOME"} & set(said)


@on_reactor
async def test_a_hung_program_is_killed_with_all_it_started_and_is_an_alarm(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    body = f"sleep 300 & echo $$ $! > {pids}; echo waiting; wait"
    async with house({"role": script(tmp_path, body)}, 0.5) as one:
        began_s = time.monotonic()
        one.calls.heard(happening())
        assert time.monotonic() - began_s < 0.1, "the node waits for nobody"
        await until(lambda: "callback-failed" in one.chronicle.alarms)
        text = one.chronicle.alarms["callback-failed"]
        assert "killed after 0.5 s: waiting" in text
        started = [int(pid) for pid in pids.read_text().split()]
        await until(lambda: not any(alive(pid) for pid in started))


@on_reactor
async def test_what_a_program_leaves_running_ends_with_it(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    async with house({"role": script(tmp_path, f"sleep 300 & echo $! > {pids}")}) as one:
        one.calls.heard(happening())
        await until(lambda: any("done in" in note for note in one.notes))
        left = int(pids.read_text())
        await until(lambda: not alive(left))  # it is signalled; it dies when it next runs


@on_reactor
async def test_a_failure_is_an_alarm_until_the_same_event_works(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    body = f"echo the mail server is away; test -e {mark}"
    async with house(
        {"role": script(tmp_path, body), "sync": script(tmp_path, "true", "s")}
    ) as one:
        one.calls.heard(happening())
        await until(lambda: "callback-failed" in one.chronicle.alarms)
        assert "ended with 1: the mail server is away" in one.chronicle.alarms["callback-failed"]
        one.calls.heard(happening("sync"))
        await until(lambda: any("for sync" in note for note in one.notes))
        assert "callback-failed" in one.chronicle.alarms, "another event's success says nothing"
        mark.touch()
        one.calls.heard(happening())
        await until(lambda: "callback-failed" not in one.chronicle.alarms)


@on_reactor
async def test_calls_of_one_event_come_one_at_a_time_in_order(tmp_path: Path) -> None:
    log = tmp_path / "log"
    body = f"echo begin $MPOWER_REASON >> {log}; sleep 0.05; echo end $MPOWER_REASON >> {log}"
    async with house({"state": script(tmp_path, body)}) as one:
        for number in range(4):
            one.calls.heard(happening("state", text=str(number)))
        await until(lambda: log.exists() and len(log.read_text().splitlines()) == 8)
    expected = [f"{word} {number}" for number in range(4) for word in ("begin", "end")]
    assert log.read_text().splitlines() == expected


@on_reactor
async def test_a_queue_is_bounded_and_what_is_dropped_is_told(tmp_path: Path) -> None:
    async with house({"state": script(tmp_path, "sleep 300")}) as one:
        for number in range(QUEUE + 3):
            one.calls.heard(happening("state", text=str(number)))
        assert "too slow" in one.chronicle.alarms["callback-failed"]
        assert len(one.calls._waiting["state"]) == QUEUE


@on_reactor
async def test_the_alarm_of_a_failed_program_calls_nobody(tmp_path: Path) -> None:
    out = tmp_path / "out"
    body = f"echo $MPOWER_EVENT $MPOWER_ALARM >> {out}; exit 7"
    async with house({"alarm": script(tmp_path, body)}) as one:
        one.chronicle.on_alarm = lambda kind, text: one.calls.heard(
            happening("alarm" if text else "alarm-ended", alarm=kind)
        )
        one.chronicle.alarm("one-copy", "One copy.")
        await until(lambda: "callback-failed" in one.chronicle.alarms)
        one.chronicle.alarm("one-copy", "")
        await until(lambda: len(out.read_text().splitlines()) == 2)
    assert out.read_text().splitlines() == ["alarm one-copy", "alarm-ended one-copy"]


@on_reactor
async def test_leaving_lets_the_last_calls_end_and_kills_what_hangs(tmp_path: Path) -> None:
    out = tmp_path / "out"
    programs = {
        "gate": script(tmp_path, f"sleep 0.2; touch {out}", "g"),
        "role": script(tmp_path, "sleep 300", "r"),
    }
    one = House(programs, 300)
    one.calls.heard(happening("gate"))
    one.calls.heard(happening("role"))
    began_s = time.monotonic()
    await one.calls.close(1.0)
    assert out.exists()
    assert time.monotonic() - began_s < 5.0


def test_a_talkative_program_costs_no_memory_and_its_last_words_are_kept(tmp_path: Path) -> None:
    body = "i=0; while [ $i -lt 2000 ]; do echo 0123456789012345678901234567890123456789; "
    path = script(tmp_path, body + "i=$((i+1)); done; echo the end")
    ended = Program(path, environment_of(happening(), "demo"), 20.0).run()
    assert ended.good, ended
    assert ended.said.endswith("the end")
    assert len(ended.said) <= KEPT_BYTES


def test_a_program_that_is_gone_is_said_to_be(tmp_path: Path) -> None:
    ended = Program(str(tmp_path / "no"), {}, 1.0).run()
    assert (ended.code, ended.good) == (None, False)
    assert "No such file" in ended.said
