"""What the demo tells of a takeover, also of one overtaken by the next; and how it is said."""

import io
import json
import os
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from clients.demo import evidence, show
from clients.demo.company import Company
from clients.demo.stage import Stage
from clients.demo.telling import (
    Begun,
    Done,
    Ending,
    Figures,
    Second,
    Takeover,
    Uncounted,
    teller,
    words,
)

HISTORY = [{"state": "CLAIMING", "wall_s": 10.5}, {"state": "PRIMARY_SOLO", "wall_s": 11.0}]
SEEN: dict[str, Any] = {"primary": "b", "nodes": [{"node": "b", "history": HISTORY}]}
SECOND = Second(
    acknowledged=1234, primary=None, copies=2, median_ms=None, waiting_ms=0.0, because="x" * 200
)


def told(struck: dict[str, float]) -> Takeover | Uncounted:
    stage = SimpleNamespace(struck=struck)
    company = SimpleNamespace(receipts=[("R1", 100)], histogram=[1, 0])
    return show.takeover(cast("Stage", stage), cast("Company", company), SEEN, 700.0)


@pytest.fixture
def counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(show, "socket_of", lambda *_: (tmp_path, 1))
    monkeypatch.setattr(evidence, "database", lambda *_: ([], []))
    monkeypatch.setattr(show, "BOUNDS_MS", [10])


@pytest.mark.usefixtures("counted")
def test_a_takeover_is_told_with_its_times() -> None:
    said = words(told({"a": 10.0}))
    assert "Node b took over: detected in 500 ms, open in 1000 ms." in said
    assert "Longest wait a clerk saw: 700 ms. Acknowledged 1, lost: 1." in said
    assert [line.split() for line in said.splitlines() if "ms " in line[:20]][-2:] == [
        ["under", "10", "ms", "1", "#" * 40],
        ["10", "ms", "and", "more", "0"],
    ]


@pytest.mark.usefixtures("counted")
@pytest.mark.parametrize("struck", [{}, {"b": 10.0}, {"a": 10.7}])
def test_times_are_told_only_from_a_stroke_that_it_followed(struck: dict[str, float]) -> None:
    found = told(struck)
    assert isinstance(found, Takeover)
    assert (found.detected_ms, found.open_ms) == (None, None)
    assert "Node b took over. Longest" in words(found)


def test_a_primary_that_fell_before_it_was_counted_ends_no_demo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(show, "socket_of", lambda *_: (tmp_path, 1))
    said = words(told({"a": 10.0}))
    assert "Node b took over, and is not counted yet." in said
    assert f"The database at {tmp_path} cannot be read" in said


@pytest.mark.usefixtures("counted")
def test_as_json_each_event_is_one_line_with_its_kind(capsys: pytest.CaptureFixture[str]) -> None:
    tell = teller(as_json=True)
    for event in (
        Begun(home="/h"),
        Done(what="x"),
        SECOND,
        told({"a": 10.0}),
        Figures(figures={"lost": 0}),
    ):
        tell(event)
    tell(Ending(kept=None))
    out, err = capsys.readouterr()
    lines = [json.loads(line) for line in out.splitlines()]
    kinds = ["begun", "done", "second", "takeover", "figures", "ending"]
    assert [line["event"] for line in lines] == kinds
    assert all(line["version"] == 1 for line in lines)
    assert lines[3]["waits"] == [{"under_ms": 10, "payments": 1}, {"under_ms": None, "payments": 0}]
    assert (lines[3]["lost"], lines[5]["kept"], err) == (1, None, "")


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_plain_lines_control_no_screen_and_a_screen_is_not_overrun(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shutil, "get_terminal_size", lambda: os.terminal_size((80, 24)))
    monkeypatch.setattr(sys, "stderr", plain := Screen())
    teller(plain=True)(SECOND)
    assert plain.getvalue() == f"{words(SECOND)}\n"
    monkeypatch.setattr(sys, "stderr", screen := Screen())
    teller()(SECOND)
    assert screen.getvalue() == f"\r\x1b[K{words(SECOND)[:79]}", "a longer one would scroll"
    monkeypatch.setattr(sys, "stderr", pipe := io.StringIO())
    teller()(SECOND)
    assert pipe.getvalue() == plain.getvalue(), "no screen is there"
