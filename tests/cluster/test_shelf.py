"""What a witness keeps for others: only ever more, bounded, and never in the record's way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cluster.arbiter import shelf
from cluster.arbiter.shelf import APART_S, DAY_S, DAYS, LINE_MAX, NEWEST, Line, Lines, Shelf

FIRST_S = 20_000.0 * DAY_S


def line(at_s: float, text: str = "") -> Line:
    return Line(FIRST_S + at_s, "a", text or f"line of {at_s:g}")


def test_a_line_stands_after_a_restart(tmp_path: Path) -> None:
    first = Shelf(tmp_path)
    assert first.keep(line(0)) == ""
    assert first.keep(line(100)) == ""
    assert Shelf(tmp_path).kept == Lines((line(0), line(100)))


def test_what_is_too_long_or_too_soon_is_refused_and_the_same_again_is_no_news(
    tmp_path: Path,
) -> None:
    kept = Shelf(tmp_path)
    assert "characters" in kept.keep(line(0, "x" * (LINE_MAX + 1)))
    assert kept.keep(line(0)) == ""
    assert "within" in kept.keep(line(APART_S - 1))
    assert kept.keep(line(APART_S, "line of 0")) == ""
    assert kept.kept == Lines((line(0),))
    assert kept.keep(line(-50)) == ""  # the witness's clock was set back: it keeps on keeping


def test_a_flood_pushes_out_the_last_minutes_and_no_day() -> None:
    kept = Lines()
    for day in range(3):
        for nth in range(NEWEST):
            kept = shelf.with_line(kept, line(day * DAY_S + nth * APART_S))
    texts = [one.text for one in kept.lines]
    assert texts[:2] == ["line of 0", f"line of {DAY_S}"]
    assert len(texts) == NEWEST + 2


def test_a_shelf_is_bounded() -> None:
    kept = Lines()
    for day in range(NEWEST + DAYS + 5):
        kept = shelf.with_line(kept, line(day * DAY_S))
    assert len(kept.lines) == NEWEST + DAYS


def test_a_file_that_cannot_be_read_is_put_aside_and_the_witness_lives(tmp_path: Path) -> None:
    (tmp_path / shelf.FILE_NAME).write_bytes(b"torn")
    kept = Shelf(tmp_path)
    assert kept.kept == Lines()
    assert (tmp_path / "kept.unread").read_bytes() == b"torn"
    assert kept.keep(line(0)) == ""


def test_a_disk_that_refuses_is_an_answer_not_an_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    kept = Shelf(tmp_path)
    monkeypatch.setattr(shelf, "write_durably", full)
    assert "No space left" in kept.keep(line(0))
    assert kept.kept == Lines()
