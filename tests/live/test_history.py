"""``mpower cluster history`` of a real pair: every term and every act, with the gap, after restarts
and with one node lost.
"""

import json
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from tests.live.pair import Pair, live_pair


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with live_pair() as pair:
        yield pair


def told(pair: Pair) -> dict[str, Any]:
    said = pair.command("cluster", "history", "--json")
    assert said.returncode == 0, said.stderr
    found: dict[str, Any] = json.loads(said.stdout)
    return found


def test_every_term_is_told_with_who_why_and_the_gap(pair: Pair) -> None:
    pair.start("w", "a", "b")
    pair.wait("all answer", lambda seen: {seen.state("a"), seen.state("b")} == {"READING"})
    pair.bootstrap("a")
    pair.wait("b is in sync", lambda seen: seen.in_sync("a", "b"))
    assert pair.command("cluster", "pause").returncode == 0
    assert pair.command("cluster", "resume").returncode == 0
    killed_s = pair.kill("a")
    pair.wait("b serves", lambda seen: seen.data["primary"] == "b")
    pair.start("a")
    pair.wait("a is in sync", lambda seen: seen.in_sync("b", "a"))
    assert pair.command("cluster", "switchover").returncode == 0
    pair.wait("b is in sync", lambda seen: seen.in_sync("a", "b"))

    terms = told(pair)["terms"]
    assert [(one["term"], one["primary"], one["kind"]) for one in terms] == [
        (1, "a", "bootstrap"),
        (2, "b", "claim"),
        (3, "a", "claim"),
    ]
    assert 1500 < terms[1]["gap_ms"] < 12_000, terms[1]
    assert abs(terms[1]["opened_s"] - killed_s - terms[1]["gap_ms"] / 1000) < 1.0, terms[1]
    assert 0 < terms[2]["gap_ms"] < 10_000, terms[2]
    assert "no beat of a" in terms[1]["why"]


def test_it_outlives_every_process_and_either_node(pair: Pair) -> None:
    for name in ("b", "a", "w"):
        pair.processes[name].terminate()
        pair.processes[name].wait(15)
    shutil.rmtree(pair.data["b"])
    pair.start("w", "a")
    pair.wait("a answers", lambda seen: seen.state("a") != "silent")
    alone = told(pair)
    assert [one["term"] for one in alone["terms"]] == [1, 2, 3]
    assert [one["kind"] for one in alone["acts"]][:4] == [
        "bootstrap",
        "pause",
        "resume",
        "switchover",
    ]
    assert alone["nodes"] == ["a"]
    text = pair.command("cluster", "history").stdout
    assert "b took over from a: no beat of a" in text, text
    assert "a took over from b: switchover from b" in text, text
    assert "Told by a alone" in text
