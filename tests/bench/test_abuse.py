"""What an attack leaves of the payments: summed up, laid out, and no figure where an acknowledged
payment is missing.
"""

from __future__ import annotations

import pytest

from bench.__main__ import chosen
from bench.abuse import COUNTERS, Round, check, described, figures
from bench.attackers import KINDS
from bench.counters import Watched, watched
from bench.steady import Pulse, Waited


def beset(per_s: float, longest_ms: float) -> Round:
    return Round(Watched(600.0, 20.0), Watched(per_s, longest_ms))


def test_the_part_that_was_kept_is_of_neighbouring_windows() -> None:
    found = {"slow": [beset(300, 80), beset(540, 40)], "deaf": [beset(600, 20)]}
    slow, deaf, wait = figures(found)
    assert (slow.bench, slow.value, slow.worst) == ("abuse.slow", 420, 300)
    assert slow.against == 600
    assert slow.ratio == pytest.approx(0.7)
    assert (deaf.bench, deaf.ratio) == ("abuse.deaf", 1.0)
    assert (wait.bench, wait.value, wait.worst, wait.against) == ("abuse.wait", 40, 80, 20)
    text = described(found)
    assert KINDS["slow"] in text
    assert "0.70" in text


def test_every_attack_has_its_figure() -> None:
    assert chosen(["abuse"]) == [f"abuse.{kind}" for kind in (*KINDS, "wait")]


def test_a_window_counts_what_was_answered_in_it_and_who_still_waits() -> None:
    first, last = Pulse(10.0, 9.99, 100), Pulse(12.0, 11.7, 1_300)
    waits = [Waited(9.0, 9.9), Waited(9.9, 10.1), Waited(12.0, 12.1)]
    seen = watched(first, last, waits)
    assert seen.per_s == 600
    assert seen.longest_ms == pytest.approx(300)
    resting = Pulse(12.0, 12.01, 1_300)
    assert watched(first, resting, waits).longest_ms == pytest.approx(200)


@pytest.mark.parametrize(
    ("answered", "receipts", "is_fit"),
    [(9, 9, True), (9, 9 + COUNTERS, True), (9, 8, False), (9, 10 + COUNTERS, False)],
)
def test_a_run_that_lost_or_doubled_a_payment_has_no_figure(
    answered: int, receipts: int, is_fit: bool
) -> None:
    if is_fit:
        check(answered, receipts)
        return
    with pytest.raises(RuntimeError, match=f"{answered} payments acknowledged, {receipts} rec"):
        check(answered, receipts)
