"""A primary that served alone and whose disk is set back to a snapshot: it does not open, rings,
and opens again once the newest copy of its disk is there.
"""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.live.pair import Pair, live_pair

RESTARTS = 2


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with live_pair() as pair:
        pair.start("w", "a")
        pair.wait("a answers", lambda seen: seen.state("a") == "READING")
        pair.bootstrap("a")
        yield pair


def copied(source: Path, target: Path) -> None:
    """With owners and modes, as a snapshot has them."""
    shutil.rmtree(target, ignore_errors=True)
    subprocess.run(["cp", "-a", str(source), str(target)], check=True, timeout=60)


def opened(pair: Pair) -> None:
    pair.wait("a is open", lambda seen: seen.data["primary"] == "a")


def written(pair: Pair) -> None:
    """A segment of WAL, as some seconds of payments make it."""
    lines = (pair.pgdata("a") / "postmaster.pid").read_text().splitlines()
    where = f"host={lines[4]} port={lines[3]} dbname=postgres user=postgres"
    with psycopg.connect(where, autocommit=True) as link:
        link.execute("SELECT pg_switch_wal()")
        link.execute("SELECT pg_logical_emit_message(true, 'test', 'x')")


def test_it_is_not_served_until_its_newest_copy_is_back(pair: Pair, tmp_path: Path) -> None:
    pair.processes["a"].terminate()
    pair.processes["a"].wait(15)
    copied(pair.data["a"], tmp_path / "older")
    for _ in range(RESTARTS):
        pair.start("a")
        opened(pair)
        written(pair)
        pair.wait("told", lambda seen: seen.node("a").get("flush_lsn", 0) > 0)
        pair.kill("a")
    copied(pair.data["a"], tmp_path / "newest")
    copied(tmp_path / "older", pair.data["a"])
    pair.start("a")
    seen = pair.wait("people are told", lambda seen: "set-back" in seen.node("a").get("alarms", []))
    assert seen.data["primary"] is None, pair.story(str(seen))
    pair.processes["a"].terminate()
    pair.processes["a"].wait(15)
    copied(tmp_path / "newest", pair.data["a"])
    pair.start("a")
    opened(pair)
