"""A scenario's report says which figure differs; the front door says what is missing."""

from __future__ import annotations

import pytest

from clients.demo import scenario
from clients.demo.day import notes
from clients.demo.scene import Agreed, report


def test_a_figure_that_differs_is_marked_and_counted() -> None:
    said = report(
        [Agreed("cash", 1_240_00, 1_240_00), Agreed("bank", 1, 2), Agreed("wrong", 0, 0, False)]
    )
    lines = said.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[2].split() == ["cash", "1,240.00", "1,240.00"]
    assert lines[3].endswith("0.01               0.02  NO")
    assert lines[4].split() == ["wrong", "0", "0"]
    assert lines[-1] == "3 figures: 1 DO NOT AGREE"
    assert report([Agreed("cash", 1, 1)]).endswith("1 figures: all agree to the paisa")


def test_a_scenario_needs_its_name_and_a_board(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MPOWER_HOME", raising=False)
    assert scenario.main("NIGHT") == 2
    assert "There are: DAY." in capsys.readouterr().err
    assert scenario.main("DAY") == 2
    assert "mpower demo run -- make scenario NAME=DAY" in capsys.readouterr().err


@pytest.mark.parametrize("paise", [0, 1, 99_99, 1_88_00, 12_345_67])
def test_cash_is_counted_whole(paise: int) -> None:
    cash = notes(paise)
    assert sum(pile.value * pile.count * 100 for pile in cash.piles) + cash.coins_paise == paise
    assert cash.total_paise == paise
