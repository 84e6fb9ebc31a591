"""A pair whose nodes have disks of their own, in a cage: full under the primary, then frozen.

Each is handed over, looked at for a while, and made well: it returns by itself. How long it took
is printed: a figure of this machine and this minute, not a verdict.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.live.pair import told_apart

LIMIT_S = 300.0
LINES = 12
"""Handed over, fenced, judged and following are six; a node that starts again and again every
half second writes two with every start.
"""
pytestmark = [pytest.mark.disks, pytest.mark.long]


@pytest.fixture(scope="module")
def told() -> Iterator[dict[str, dict[str, Any]]]:
    with told_apart("tests.live.sick_disks", LIMIT_S) as told:
        yield told


@pytest.mark.parametrize(
    ("what", "term", "alarm"), [("full", 2, "disk-full"), ("hung", 3, "disk-dead")]
)
def test_a_sick_disk_is_handed_over_at_once_and_told(
    told: dict[str, dict[str, Any]], what: str, term: int, alarm: str
) -> None:
    seen = told[what]
    print(f"disk {what}: claimed_ms={seen['claimed_ms']} open_ms={seen['open_ms']}")
    assert "hands over" in seen["claim"], "nobody waited for silence"
    assert alarm in seen["alarms"]
    if what == "full":
        assert "The disk here is full" in seen["lines"][0], "PostgreSQL had to fall over it"
    assert seen["term"] == term, "nothing went to and fro"


@pytest.mark.parametrize("what", ["full", "hung"])
def test_it_is_not_started_again_and_again(told: dict[str, dict[str, Any]], what: str) -> None:
    lines = told[what]["lines"]
    assert lines[0].startswith("READING: "), lines
    assert len(lines) <= LINES, lines
