"""A primary that served alone and whose disk is set back to a snapshot: it does not open, rings,
and opens again once the newest copy of its disk is there, or an operator accepts the loss.
"""

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.live.pair import Pair, live_pair

RESTARTS = 2
LISTENS_S = 20.0
"""It must have listened for the other for a while, and its PostgreSQL be down."""


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
    """One commit: less than a start and its first probe write by themselves."""
    lines = (pair.pgdata("a") / "postmaster.pid").read_text().splitlines()
    where = f"host={lines[4]} port={lines[3]} dbname=postgres user=postgres"
    with psycopg.connect(where, autocommit=True) as link:
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


def test_an_operator_who_accepts_the_loss_opens_it(pair: Pair, tmp_path: Path) -> None:
    """The other node does not run; its name stands in the statement that he confirms."""
    force = ("cluster", "failover", "--force", "--accept-data-loss")
    serves = pair.command(*force, "--dry-run")
    assert (serves.returncode, "a is the primary by record" in serves.stderr) == (5, True), serves
    pair.processes["a"].terminate()
    pair.processes["a"].wait(15)
    copied(pair.data["a"], tmp_path / "older")
    pair.start("a")
    opened(pair)
    written(pair)
    pair.wait("told", lambda seen: seen.node("a").get("flush_lsn", 0) > 0)
    pair.kill("a")
    copied(tmp_path / "older", pair.data["a"])
    pair.start("a")
    pair.wait("people are told", lambda seen: "set-back" in seen.node("a").get("alarms", []))
    give_up_s = time.monotonic() + LISTENS_S
    while pair.command(*force, "--dry-run").returncode and time.monotonic() < give_up_s:
        time.sleep(0.5)
    unsaid = pair.command(*force, "--confirm", "another")
    assert "the server of b is powered off" in unsaid.stderr, unsaid
    said = pair.command(*force, "--confirm", pair.look().data["record"]["cluster_id"], "--json")
    assert said.returncode == 0, said
    seen = pair.look()
    assert (seen.data["primary"], seen.data["record"]["incarnation"]) == ("a", 2)
    assert seen.node("a")["alarms"].keys() == {"one-copy"}
