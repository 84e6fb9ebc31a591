"""An operator's orders to a real board at work: in order, at a time, called off, by a reason.

Every terminal goes on paying meanwhile; the verdict at the end is taken from their own journals.
Switchovers that must fail are caught at the same moment each time: the checkpointer of the primary
is held until the standby has been struck. Gaps are printed, and none is a verdict.
"""

import datetime as dt
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

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


def called_off(show: Show, struck: Process) -> str:
    """Order one whose standby is struck as its checkpoint ends; what the operator is told."""
    said: list[str] = []

    def order() -> None:
        try:
            said.append(str(show.ask("switchover")))
        except StageError as refused:
            said.append(str(refused))

    asked = threading.Thread(target=order, daemon=True)
    checkpointer = show.called("a", "checkpointer")
    assert checkpointer.send(signal.SIGSTOP)
    try:
        asked.start()
        show.until("it is due", lambda it: it["record"]["intent"].startswith("switchover"))
        assert struck.send(signal.SIGSTOP)
    finally:
        checkpointer.send(signal.SIGCONT)
    try:
        asked.join(LIMIT_S)
        show.company.await_more(AT_WORK, LIMIT_S)
    finally:
        struck.send(signal.SIGCONT)
    assert said, "the operator was told nothing"
    return said[0]


@pytest.mark.parametrize(
    ("title", "why"),
    [("mpowerd", "b is silent"), ("walreceiver", "within 5 s")],
)
def test_the_primary_opens_again_if_its_standby_does_not_take_over(
    show: Show, title: str, why: str
) -> None:
    """The abort rows: a standby that falls silent, and one that does not take the last of it.

    On a machine so busy that the checkpoint outlasts the standby's grace it is called off one step
    earlier, before the gate was shut; the reason then says so.
    """
    show.settled("a")
    began_s = time.time()
    said = called_off(show, show.called("b", title))
    assert "a stays the primary" in said
    seen = show.settled("a")
    show.gap(f"called off, {title} frozen")
    history = next(one["history"] for one in seen["nodes"] if one["node"] == "a")
    states = [line["state"] for line in history if line["wall_s"] >= began_s]
    if "DRAINING" in states:
        assert why in said
        begun = states.index("DRAINING")
        assert states[begun : begun + 3] == ["DRAINING", "READING", "PRIMARY_GATED"], history
    else:
        assert "b is" in said, "called off for another reason than its standby"
    assert seen["record"]["tli"] == 3, "nobody was promoted"


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
