"""A real pair whose witness is lost: rebuilt with both nodes' consent, and by an operator alone."""

import shutil
from collections.abc import Iterator

import pytest

from tests.live.pair import Pair, live_pair


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with live_pair() as pair:
        pair.start("w", "a", "b")
        pair.wait("all answer", lambda seen: {seen.state("a"), seen.state("b")} == {"READING"})
        pair.bootstrap("a")
        pair.wait("b is in sync", lambda seen: seen.in_sync("a", "b"))
        yield pair


def lose_witness(pair: Pair) -> None:
    pair.processes["w"].kill()
    pair.processes["w"].wait(5)
    shutil.rmtree(pair.home / "data" / "witness")


def test_a_whole_arbiter_is_shown_and_not_rebuilt(pair: Pair) -> None:
    shown = pair.command("cluster", "arbiter", "show")
    assert shown.returncode == 0, shown.stderr
    assert "primary a, sync b" in shown.stdout
    said = pair.command("cluster", "arbiter", "rebuild")
    assert (said.returncode, "nothing is lost" in said.stderr) == (5, True), said


def test_a_lost_witness_is_rebuilt_with_both_nodes_consent(pair: Pair) -> None:
    before = pair.look().data["record"]
    lose_witness(pair)
    said = pair.command("cluster", "arbiter", "rebuild")
    assert (said.returncode, "does not answer" in said.stderr) == (5, True), said
    pair.start("w")
    pair.wait("rolled back", lambda seen: "arbiter-rolled-back" in seen.node("a")["alarms"])
    said = pair.command("cluster", "arbiter", "rebuild")
    assert said.returncode == 0, pair.story(said.stderr)
    seen = pair.wait("safe again", lambda seen: seen.data["safe_to_fail_over"])
    record = seen.data["record"]
    assert record["incarnation"] == before["incarnation"] + 1
    assert record["epoch"] > before["epoch"]
    assert seen.in_sync("a", "b")


def test_an_operator_stands_for_a_lost_node_after_a_restart_of_the_witness(pair: Pair) -> None:
    words = ["cluster", "arbiter", "confirm"]
    said = pair.command(*words)
    assert (said.returncode, "Both nodes answer" in said.stderr) == (5, True), said
    pair.processes["w"].kill()
    pair.processes["w"].wait(5)
    pair.kill("b")
    pair.start("w")
    pair.wait("a waits", lambda seen: "arbiter-unconfirmed" in seen.node("a")["alarms"])
    assert pair.look().state("a") in {"PRIMARY_STALLED", "GOING_SOLO"}
    said = pair.command(*words, "--dry-run")
    assert (said.returncode, "b has not confirmed its epoch" in said.stdout) == (0, True), said
    said = pair.command(*words, "--confirm", "wrong")
    assert (said.returncode, "Nothing was done" in said.stderr) == (5, True), said
    said = pair.command(*words, "--confirm", "demo")
    assert said.returncode == 0, pair.story(said.stderr)
    seen = pair.wait("a serves alone", lambda seen: seen.state("a") == "PRIMARY_SOLO")
    assert seen.data["record"]["trusted"] == seen.data["witness"]["nonce"]
    said = pair.command(*words)
    assert (said.returncode, "waits for nobody" in said.stderr) == (5, True), said
    pair.start("b")
    pair.wait("b is in sync", lambda seen: seen.in_sync("a", "b"))


def test_the_rebuilt_pair_fails_over(pair: Pair) -> None:
    pair.kill("a")
    pair.wait("b serves", lambda seen: seen.data["primary"] == "b")
    pair.start("a")
    pair.wait("a is in sync", lambda seen: seen.in_sync("b", "a"))


def test_without_the_other_node_an_operator_decides_and_it_is_copied_anew(pair: Pair) -> None:
    lose_witness(pair)
    pair.kill("a")
    pair.start("w")
    pair.wait("b waits", lambda seen: seen.state("b") in {"PRIMARY_STALLED", "GOING_SOLO"})
    words = ["cluster", "arbiter", "rebuild"]
    said = pair.command(*words)
    assert (said.returncode, "both nodes must agree" in said.stderr) == (5, True), said
    said = pair.command(*words, "--without", "a", "--confirm", "wrong")
    assert (said.returncode, "Nothing was done" in said.stderr) == (5, True), said
    said = pair.command(*words, "--without", "a", "--confirm", "demo")
    assert said.returncode == 0, pair.story(said.stderr)
    seen = pair.wait("b serves alone", lambda seen: seen.state("b") == "PRIMARY_SOLO")
    assert seen.data["record"]["consented"] == ["b"]
    pair.start("a")
    seen = pair.wait("a is in sync", lambda seen: seen.in_sync("b", "a"), 60)
    states = [line["state"] for line in seen.node("a")["history"]]
    assert "RECLONING" in states, states


def test_a_standby_is_copied_anew_by_order_and_the_primary_never(pair: Pair) -> None:
    pair.wait("a is in sync", lambda seen: seen.in_sync("b", "a"), 60)
    said = pair.command("cluster", "reinit", "b")
    assert (said.returncode, "b is the primary" in said.stderr) == (5, True), said
    said = pair.command("cluster", "reinit", "a", "--dry-run")
    assert said.returncode == 0, said
    clones = [line["state"] for line in pair.look().node("a")["history"]].count("RECLONING")
    inode = pair.pgdata("a").stat().st_ino
    said = pair.command("cluster", "reinit", "a", "--wait", "60")
    assert (said.returncode, "in sync again" in said.stdout) == (0, True), pair.story(said.stderr)
    seen = pair.wait("a is in sync", lambda seen: seen.in_sync("b", "a"))
    states = [line["state"] for line in seen.node("a")["history"]]
    assert states.count("RECLONING") > clones
    assert pair.pgdata("a").stat().st_ino != inode, "it is another folder"
    assert "PRIMARY_SOLO" in [line["state"] for line in seen.node("b")["history"]]
