"""``mpower audit export`` and the days a person types; what an export proves is tested on a real
database (``tests/database/test_audit_range.py``).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click.testing
import pytest

from clients.door import Exit
from protocols.catalogue import audit as words
from protocols.refusals import Refused
from tests.clients.links import Board
from tests.protocols.examples import CHECKPOINT

Call = Callable[..., click.testing.Result]
WORD = "correct horse battery\n"
BY_STDIN = ("--password-file", "-")
APRIL = ("--from", "2026-04-01", "--to", "2026-04-30")


@pytest.fixture
def export(call: Call, board: Board, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Call:
    """Export on a machine of the board's own time zone, in an empty folder."""
    board.answers |= {
        "audit_export": words.Exported(CHECKPOINT, "-----BEGIN PUBLIC KEY-----"),
        "audit_leaves": words.LeavesPage([]),
        "audit_rows": words.RowsPage([]),
    }
    monkeypatch.chdir(tmp_path)

    def run(*said: str) -> click.testing.Result:
        return call("audit", "export", "--reason", "a test", *said, *BY_STDIN, stdin=WORD)

    return run


@pytest.fixture(autouse=True)
def _in_india(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "IST-5:30")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_two_days_are_whole_days_of_this_machine_and_name_the_file(
    export: Call, board: Board, tmp_path: Path
) -> None:
    said = export(*APRIL)
    assert said.exit_code == 0, said.output
    asked: Any = board.said[-3][1]
    assert (asked.since, asked.until) == (
        "2026-04-01T00:00:00+05:30",
        "2026-05-01T00:00:00+05:30",
    )
    name = "audit-2026-04-01-2026-04-30.jsonl"
    assert f"mpower audit verify {name}" in said.stdout
    head = json.loads((tmp_path / name).read_text().splitlines()[0])
    assert (head["from"], head["to"]) == (asked.since, asked.until)
    again = export(*APRIL)
    assert again.exit_code == Exit.FAILED
    assert "it is there already, and an export never overwrites" in again.stderr


@pytest.mark.parametrize(
    ("said", "since", "before"),
    [
        (("--from", "2026-04-01T10:00"), "2026-04-01T10:00:00+05:30", ""),
        (("--from", "2026-04-01T10:00+00:00"), "2026-04-01T10:00:00+00:00", ""),
        (("--to", "2026-04-01 10:00Z"), "", "2026-04-01T10:00:00+00:00"),
        (("--to", "2026-02-28"), "", "2026-03-01T00:00:00+05:30"),
        (
            ("--from", "2026-04-01", "--to", "2026-04-01"),
            "2026-04-01T00:00:00+05:30",
            "2026-04-02T00:00:00+05:30",
        ),
    ],
)
def test_moments_and_zones_are_as_they_were_typed(
    export: Call, board: Board, said: tuple[str, ...], since: str, before: str
) -> None:
    assert export(*said).exit_code == 0
    asked = next(body for name, body in board.said if name == "audit.export")
    assert (asked.since, asked.until) == (since, before)


@pytest.mark.parametrize(
    "typed",
    [
        *("soon", "01-04-2026", "01/04/2026", "2026-02-30", "2026-04", "2026-04-01T25:00"),
        *("2026-04-01T10:00 IST", "2026-04-01T10:00+5:30", "2026-04-01T10:00+99:00"),
        *("2026-04-01T10:00+20:00", "9999-12-31T23:59-12:00", "२०२६-०४-०१"),
    ],
)
@pytest.mark.parametrize("option", ["--from", "--to"])
def test_what_is_no_day_is_said_so_before_anything_is_asked(
    export: Call, board: Board, option: str, typed: str
) -> None:
    said = export(option, typed)
    assert said.exit_code == Exit.USAGE, said.output
    assert f"{option} {typed} is not a day or a moment. Write the year first" in said.stderr
    assert board.said == []


def test_the_end_before_the_beginning_is_said_so(export: Call, call: Call, board: Board) -> None:
    for run in (export, lambda *said: call("audit", "show", *said, *BY_STDIN, stdin=WORD)):
        said = run("--from", "2026-04-30", "--to", "2026-04-01")
        assert said.exit_code == Exit.USAGE
        assert "--to 2026-04-01 is not after --from 2026-04-30" in said.stderr
    assert board.said == []


def test_a_refused_export_leaves_no_file(export: Call, board: Board, tmp_path: Path) -> None:
    edges = {"since": "a", "until": "b", "first": "c", "last": "d"}
    board.refusing = Refused("NOTHING_WRITTEN", **edges)
    said = export(*APRIL)
    assert said.exit_code == Exit.REFUSED
    assert "Nothing was written into the audit" in said.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("where", ["nowhere/a.jsonl", "file/a.jsonl"])
def test_a_place_that_cannot_be_is_said_before_the_password(
    export: Call, board: Board, tmp_path: Path, where: str
) -> None:
    (tmp_path / "file").touch()
    said = export(where)
    assert said.exit_code == Exit.FAILED
    assert f"there is no folder {Path(where).parent}" in said.stderr
    assert board.said == []
