"""A pair with two links, in a cage: what a cut of one of them does to payments, and a cut of both.

One link is not missed: no new record (a primary that waited too long would have asked to go alone),
no failover, and people hear of it. Of two cut links the primary stays, alone. How long a write
waited is printed: a figure of this machine and this minute, not a verdict.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.live.pair import told_apart

LIMIT_S = 240.0
pytestmark = pytest.mark.cage


@pytest.fixture(scope="module")
def told() -> Iterator[dict[str, dict[str, Any]]]:
    with told_apart("tests.live.two_links", LIMIT_S) as told:
        yield told


@pytest.mark.parametrize("what", ["town", "cross", "town, a to b", "town, b to a"])
def test_one_link_is_not_missed(told: dict[str, dict[str, Any]], what: str) -> None:
    seen = told[what]
    print(f"{what} cut: worst_ms={seen['worst_ms']}")
    assert (seen["state"], seen["epochs"], seen["term"]) == ("PRIMARY_SYNC", 0, 1)
    assert "link-down" in seen["alarms"]


def test_a_link_that_flaps_is_not_missed(told: dict[str, dict[str, Any]]) -> None:
    seen = told["flapping"]
    print(f"flapping: worst_ms={seen['worst_ms']}")
    assert seen["epochs"] == 0


def test_cut_off_from_each_other_the_primary_stays_alone(told: dict[str, dict[str, Any]]) -> None:
    seen = told["all between the nodes"]
    print(f"both cut: worst_ms={seen['worst_ms']}")
    assert (seen["state"], seen["term"]) == ("PRIMARY_SOLO", 1)
    assert "link-down" not in seen["alarms"], "no link is worse than another"
