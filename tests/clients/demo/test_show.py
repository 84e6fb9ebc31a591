"""What the demo tells of a takeover, also of one that is overtaken by the next."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from clients.demo import evidence, show
from clients.demo.company import Company
from clients.demo.stage import Stage

HISTORY = [{"state": "CLAIMING", "wall_s": 10.5}, {"state": "PRIMARY_SOLO", "wall_s": 11.0}]
SEEN: dict[str, Any] = {"primary": "b", "nodes": [{"node": "b", "history": HISTORY}]}


def told() -> bool:
    stage = SimpleNamespace(struck={"a": 10.0})
    company = SimpleNamespace(receipts=[("R1", 100)], histogram=[1, 0])
    return show.told_failover(cast("Stage", stage), cast("Company", company), SEEN, 700.0)


def test_a_takeover_is_told_with_its_times(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(show, "socket_of", lambda *_: (tmp_path, 1))
    monkeypatch.setattr(evidence, "database", lambda *_: ([], []))
    monkeypatch.setattr(show, "BOUNDS_MS", [10])
    assert told()
    said = capsys.readouterr().err
    assert "Node b took over: detected in 500 ms, open in 1000 ms." in said
    assert "Acknowledged 1, lost: 1." in said


def test_a_primary_that_fell_before_it_was_counted_ends_no_demo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(show, "socket_of", lambda *_: (tmp_path, 1))
    assert not told()
    said = capsys.readouterr().err
    assert "Node b took over, and is not counted yet." in said
    assert f"The database at {tmp_path} cannot be read" in said
