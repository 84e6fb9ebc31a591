"""The printed figures: their line, their table, their names."""

import json

import pytest

from bench.__main__ import BENCHES, chosen
from bench.figures import Figure, line, median, percentile, table


def test_a_figure_is_one_json_line_under_the_promised_keys() -> None:
    said = json.loads(line(Figure("payments.full_stack", 8254.44, 7000.0, "1/s", 4096.1, 2.0151)))
    assert said == {
        "bench": "payments.full_stack",
        "value": 8254.4,
        "worst": 7000.0,
        "unit": "1/s",
        "against": 4096.1,
        "ratio": 2.02,
    }


def test_what_stands_against_nothing_says_null() -> None:
    said = json.loads(line(Figure("failover.killed", 412.0, 480.0, "ms")))
    assert said["against"] is None
    assert said["ratio"] is None


def test_percentiles_are_values_that_were_measured() -> None:
    waits = [float(one) for one in range(1, 101)]
    assert percentile(waits, 0.5) == 51
    assert percentile(waits, 0.99) == 100
    assert percentile([], 0.99) == 0
    assert percentile([7.0], 0.99) == 7
    assert median([3, 1, 2]) == 2


def test_a_table_keeps_its_columns() -> None:
    lines = table(("who", "n"), [("ours", 12345), ("theirs", 0.5)]).splitlines()
    assert [one.split() for one in lines] == [
        ["who", "n"],
        ["-" * 14],
        ["ours", "12,345"],
        ["theirs", "0.50"],
    ]
    assert len({len(one) for one in lines}) == 1


def test_only_takes_a_figure_or_a_family() -> None:
    assert chosen([]) == list(BENCHES)
    assert chosen(["failover"]) == [name for name in BENCHES if name.startswith("failover.")]
    assert chosen(["failover.silent"]) == ["failover.silent"]
    assert chosen(["wan.payment_bytes", "enquiry"]) == ["enquiry.p99", "wan.payment_bytes"]
    with pytest.raises(ValueError, match="no figure 'pay'"):
        chosen(["pay"])
