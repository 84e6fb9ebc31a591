"""A till is counted by a person: asked a line at a time, and what was counted is not asked again.

Screen and link are stand-ins that answer from a list; the words and the bodies are the real ones.
"""

from __future__ import annotations

from typing import Any

import pytest
import pytest_twisted
from msgspec.structs import replace

from clients.asking import Answer, Declined
from clients.counter import till_words, typed
from clients.counter.paper import NOTES
from clients.counter.work import Counter
from protocols.catalogue.shifts import Cash, CloseShift, ModeCount, OpenShift, Pile, Sheet
from protocols.messages import Session
from tests.protocols import till_examples

TAKEN = [ModeCount("CARD", 1, 60_00), ModeCount("CASH", 2, 101_00), ModeCount("CHEQUE", 1, 50_00)]
SHEET = replace(till_examples.SHEET, modes=TAKEN)
SHORT = Declined("CASH_DIFFERENCE", "The cash is Rs 1.00 short.")
NOTES_OF_500 = ["2", *[""] * (len(NOTES) - 1), "45", ""]
"""Two notes of 500, coins of 45.00, the total as it was added up."""
COUNTED = Cash([Pile(500, 2)], 45_00, 1_045_00)
PAPERS = [ModeCount("CARD", 1, 60_00), ModeCount("CHEQUE", 1, 50_00)]


class Clerk:
    """The screen of a person who types these lines."""

    person = True

    def __init__(self, *lines: str) -> None:
        self.lines = list(lines)
        self.asked: list[str] = []
        self.said: list[str] = []

    async def read(self, prompt: str) -> str | None:
        self.asked.append(prompt)
        return self.lines.pop(0) if self.lines else None

    def talk(self, text: str) -> None:
        self.said.append(text)

    def show(self, text: str, **_: Any) -> None:
        self.said.append(text)


class Server:
    """A link that shows the open shift and answers submissions from a list."""

    def __init__(self, *answers: Sheet | Declined) -> None:
        self.answers = list(answers)
        self.submitted: list[Any] = []

    async def ask(self, _operation: str, _body: Any) -> Any:
        return SHEET

    async def submit(self, _operation: str, body: Any) -> Answer:
        self.submitted.append(body)
        answer = self.answers.pop(0)
        if isinstance(answer, Declined):
            raise answer
        return Answer(answer, replay=False)


async def work(clerk: Clerk, server: Server, line: str) -> None:
    counter = Counter(clerk)  # type: ignore[arg-type]
    counter._link = server  # type: ignore[assignment]
    counter.session = Session(b"t" * 16, "asha", "clerk", 43_200)
    command = typed.read_line(line)
    assert command is not None
    await counter._safely(counter._do(command))


@pytest_twisted.ensureDeferred
async def test_a_closing_asks_for_the_cash_and_for_every_mode_that_was_taken() -> None:
    clerk = Clerk(*NOTES_OF_500, "1", "60", "1", "50")
    server = Server(SHEET)
    await work(clerk, server, "shift close")
    assert clerk.asked[-4:] == ["CARD, how many: ", "CARD, total Rs ", "CHEQUE, how many: ", (
        "CHEQUE, total Rs "
    )]  # fmt: skip
    assert server.submitted == [CloseShift(COUNTED, PAPERS)]


@pytest.mark.parametrize(
    ("line", "asked"),
    [
        ("shift close tick C001/2026-27/3", ["CARD"]),
        ("shift close card 1 60 cheque 1 50", []),
        ("shift handover bina", ["CARD", "CHEQUE"]),
        ("shift open", []),
    ],
)
@pytest_twisted.ensureDeferred
async def test_what_was_typed_is_not_asked(line: str, asked: list[str]) -> None:
    clerk = Clerk(*NOTES_OF_500)
    server = Server(SHEET)
    await work(clerk, server, line)
    assert [one.split(",")[0] for one in clerk.asked if "how many" in one] == asked
    assert server.submitted[0].cash == COUNTED


@pytest_twisted.ensureDeferred
async def test_a_difference_is_explained_without_counting_again() -> None:
    clerk = Clerk(*NOTES_OF_500, "1", "60", "1", "50", "a note is torn")
    server = Server(SHORT, SHEET)
    await work(clerk, server, "shift close")
    assert clerk.said.count(SHORT.sentence) == 1
    assert server.submitted[1] == CloseShift(COUNTED, PAPERS, [], "a note is torn")


@pytest_twisted.ensureDeferred
async def test_without_a_reason_nothing_is_closed() -> None:
    clerk = Clerk(*NOTES_OF_500, "1", "60", "1", "50", "")
    server = Server(SHORT)
    await work(clerk, server, "shift close")
    assert len(server.submitted) == 1
    assert clerk.said[-1] == SHORT.sentence


def test_cash_that_is_typed_is_never_asked() -> None:
    for line in ("close 500x2 card 1 60", "open 500x2", "handover bina coins 20"):
        assert not till_words.shift(line.split()).counts
    assert till_words.shift(["open"]) == till_words.Typed("shifts.open", OpenShift(), counts=True)
