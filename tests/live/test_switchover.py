"""An operator's orders to a real board at work: in order, at a time, called off, by a reason.

Every terminal goes on paying meanwhile; the verdict at the end is taken from their own journals.
Switchovers that must fail are caught at the same moment each time, by holding a process of the
primary's PostgreSQL that the next step waits for. Gaps are printed, and none is a verdict.
"""

import datetime as dt
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from clients.demo import evidence
from clients.demo.commands import mpower, status
from clients.demo.company import Company
from clients.demo.drill import socket_of
from clients.demo.opening import in_sync, open_board, wait
from clients.demo.running import Process, family
from clients.demo.stage import Stage, StageError
from clients.demo.verdict import judge

AT_WORK = 60
LIMIT_S = 60.0
ENTERED = "SELECT object, reason FROM mpower.audit_entries WHERE object LIKE 'record/%'"


def _told(line: str) -> None:
    print(line)


class Show:
    """A board with its terminals at work."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        open_board(stage, _told)
        self.company = Company(stage)
        self.company.await_more(AT_WORK, LIMIT_S)

    def ask(self, *words: str) -> dict[str, Any]:
        return mpower(self.stage.home, "cluster", *words)

    def until(self, what: str, reached: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        return wait(self.stage, what, reached, LIMIT_S)

    def settled(self, primary: str) -> dict[str, Any]:
        """In sync under that primary, and every terminal paying."""
        seen = self.until(
            f"{primary} is primary of two copies",
            lambda it: it["primary"] == primary and in_sync(it),
        )
        self.company.await_more(AT_WORK, LIMIT_S)
        return seen

    def gap(self, what: str) -> None:
        print(f"{what}: gap_ms={self.company.longest_ms():.0f}")

    def from_here(self) -> tuple[float, int]:
        """The time, and the length of a's log; waits are counted anew."""
        self.company.longest_ms()
        return time.time(), len(self.stage.log("a").read_text())

    def called(self, node: str, title: str) -> Process:
        """The process of that node's PostgreSQL that ``ps`` would show so."""
        for one in family(self.stage.services[node]):
            if title in Path(f"/proc/{one.pid}/cmdline").read_text(errors="replace"):
                return one
        raise AssertionError(f"{node} has no {title}")


@pytest.fixture(scope="module")
def show() -> Iterator[Show]:
    stage = Stage.build(counters=5)
    show = None
    try:
        show = Show(stage)
        yield show
    finally:
        if show is not None:
            show.company.dismiss()
        stage.end()


def test_the_places_are_changed_in_order(show: Show) -> None:
    show.gap("before")
    said = show.ask("switchover")
    assert (said["from"], said["to"]) == ("a", "b")
    seen = show.settled("b")
    show.gap("switchover")
    a = next(one["history"] for one in seen["nodes"] if one["node"] == "a")
    assert "RECLONING" not in [line["state"] for line in a], "it returns without a clone"
    assert seen["record"]["tli"] == 2


def test_a_planned_one_is_taken_back(show: Show) -> None:
    tomorrow = dt.datetime.now().astimezone() + dt.timedelta(days=1)
    show.ask("switchover", "--at", tomorrow.isoformat(timespec="minutes"))
    assert status(show.stage.home)["record"]["intent"].startswith("switchover a ")
    show.ask("switchover", "--cancel")
    seen = status(show.stage.home)
    assert (seen["record"]["intent"], seen["primary"]) == ("", "b")


def test_a_planned_one_happens_at_its_time(show: Show) -> None:
    began_s = time.monotonic()
    show.ask("switchover", "--dry-run")
    ahead = dt.timedelta(seconds=2 + 3 * (time.monotonic() - began_s))  # a busy machine is slow
    due = (dt.datetime.now().astimezone() + ahead).replace(microsecond=0)
    show.ask("switchover", "--at", due.isoformat())
    seen = show.settled("a")
    show.gap("switchover at a time")
    claimed = next(
        line["wall_s"]
        for node in seen["nodes"]
        if node["node"] == "a"
        for line in reversed(node["history"])
        if line["state"] == "CLAIMING"
    )
    assert claimed >= due.timestamp()


class Order:
    """A switchover asked for beside the test, by an operator who waits for the answer."""

    def __init__(self, show: Show) -> None:
        self._show = show
        self._said: list[str] = []
        self._asked = threading.Thread(target=self._ask, daemon=True)
        self._asked.start()

    def _ask(self) -> None:
        try:
            self._said.append(str(self._show.ask("switchover")))
        except StageError as refused:
            self._said.append(str(refused))

    def told(self) -> str:
        self._asked.join(LIMIT_S)
        assert self._said, "the operator was told nothing"
        return self._said[0]


@contextmanager
def held(process: Process) -> Iterator[None]:
    """It stands still meanwhile."""
    assert process.send(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send(signal.SIGCONT)


def entered(show: Show, state: str, since: int) -> None:
    """Wait for the line of the log with which a enters a state; quicker than asking."""
    end_s = time.monotonic() + LIMIT_S
    while f'"{state}: ' not in show.stage.log("a").read_text()[since:]:
        assert time.monotonic() < end_s, f"a was never {state}"
        time.sleep(0.005)


def branch(show: Show, since_s: float) -> list[str]:
    """The lines of a's history from there on; printed, so that a reader sees which way it went."""
    seen = show.settled("a")
    assert seen["record"]["tli"] == 3, "nobody was promoted"
    history = next(one["history"] for one in seen["nodes"] if one["node"] == "a")
    lines = [str(line["text"]) for line in history if line["wall_s"] >= since_s]
    print("\n".join(lines))
    return lines


@pytest.mark.parametrize(
    ("title", "why"),
    [("mpowerd", "b is silent"), ("walreceiver", "within 5 s")],
)
def test_the_primary_opens_again_if_its_standby_does_not_take_over(
    show: Show, title: str, why: str
) -> None:
    """The abort rows, with the gate shut: a standby that falls silent, and one that does not take
    the last of it. The background writer of a is held until the standby is struck: a checkpoint
    does without it, an orderly stop waits for it. At the deadline two rows say the same: it was
    not stopped in order, or not taken over; which of them is quicker is printed.
    """
    show.settled("a")
    began_s, since = show.from_here()
    with ExitStack() as frozen:
        with held(show.called("a", "background writer")):
            order = Order(show)
            entered(show, "DRAINING", since)
            frozen.enter_context(held(show.called("b", title)))
        said = order.told()
        show.company.await_more(AT_WORK, LIMIT_S)
    assert "a stays the primary" in said
    assert why in said
    lines = branch(show, began_s)
    show.gap(f"called off, {title} frozen")
    begun = next(n for n, line in enumerate(lines) if line.startswith("DRAINING: "))
    states = [line.partition(":")[0] for line in lines[begun:] if line.split(":")[0].isupper()]
    assert states[:3] == ["DRAINING", "READING", "PRIMARY_GATED"], lines
    assert lines[begun + 1 :][0].endswith("this node serves again."), lines


def test_a_standby_that_falls_silent_before_the_gate_is_shut_costs_nothing(show: Show) -> None:
    """Called off one step earlier: the checkpoint before it is held until the operator is told."""
    show.settled("a")
    began_s, since = show.from_here()
    with held(show.called("a", "checkpointer")):
        order = Order(show)
        show.until("it is due", lambda it: it["record"]["intent"].startswith("switchover"))
        with held(show.called("b", "mpowerd")):
            said = order.told()
    assert "a stays the primary" in said
    assert "b is" in said
    lines = branch(show, began_s)
    show.gap("called off before the gate was shut")
    assert "DRAINING: " not in show.stage.log("a").read_text()[since:], lines


def test_a_reason_is_enough_to_hand_over(show: Show) -> None:
    show.settled("a")
    show.ask("handover", "--reason", "on battery")
    seen = show.settled("b")
    show.gap("handover")
    texts = [line["text"] for node in seen["nodes"] for line in node["history"]]
    assert any("Handing over on request" in text for text in texts), texts


def test_nothing_was_lost_or_doubled_meanwhile(show: Show) -> None:
    assert show.company.end()
    asked = evidence.journals(show.stage.home / "journals")
    held, flaws = evidence.database(*socket_of(show.stage, "b"))
    verdict = judge(asked, held)
    print(f"acknowledged {verdict.acknowledged}, lost {verdict.lost}, doubled {verdict.doubled}")
    assert (verdict.lost, verdict.doubled, flaws) == (0, 0, []), verdict.examples
    assert verdict.acknowledged > 5 * AT_WORK


def test_every_order_and_change_of_the_cluster_is_in_the_audit(show: Show) -> None:
    """Whoever is primary enters within seconds what either node's history knows."""
    folder, port = socket_of(show.stage, "b")
    places = {
        f"record/{one['incarnation']}/{one['epoch']}/{one['op_id']}": one["reason"]
        for one in show.ask("history", "--all")["changes"]
    }
    assert any(why.startswith("switchover to") for why in places.values()), places
    base = psycopg.connect(
        host=str(folder), port=port, user="postgres", dbname="mpower", autocommit=True
    )
    with base:
        show.until("all is entered", lambda _: dict(base.execute(ENTERED).fetchall()) == places)
        assert base.execute("SELECT * FROM mpower.audit_check_v1()").fetchall() == []
