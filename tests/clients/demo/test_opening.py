"""A demo whose board is not furnished in time ends with a sentence."""

import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from clients.demo import opening
from clients.demo.stage import StageError


def test_a_board_that_is_not_furnished_in_time_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(words: list[str], timeout: float, **_: object) -> None:
        raise subprocess.TimeoutExpired(words, timeout)

    monkeypatch.setattr(subprocess, "run", slow)
    monkeypatch.setattr(opening, "environment", lambda _home: {})
    stage = SimpleNamespace(home=tmp_path, bank="b", counters=("C001",))
    with pytest.raises(StageError, match=r"until the board was furnished: .* Try again"):
        opening._furnish(stage, print)  # type: ignore[arg-type]
