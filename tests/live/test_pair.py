"""A real cluster, alone: witness, two nodes, two PostgreSQL, mutual TLS; killed, stopped, healed.

One story in order, because a pair that has lived is what must keep working. Times are printed and
come from the nodes' own histories; none is asserted tighter than the timers promise.
"""

import json
import os
import signal
import time
from collections.abc import Iterator

import pytest

from cluster.postgres.stray import processes_of
from tests.live.pair import WAIT_S, Pair, Seen, live_pair

CLAIMED, OPEN = "CLAIMING", "PRIMARY_SOLO"


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with live_pair() as pair:
        yield pair


def report(what: str, began_s: float, seen: Seen, node: str) -> None:
    """Print a takeover's times: from the fault to the claim, and to open."""
    detected_ms = (seen.entered(node, CLAIMED) - began_s) * 1000
    promoted_ms = (seen.entered(node, OPEN) - began_s) * 1000
    print(f"{what}: detected_ms={detected_ms:.0f} promoted_ms={promoted_ms:.0f}")
    assert 0 <= detected_ms < promoted_ms


def test_a_cluster_is_made_and_the_second_node_copies_itself(pair: Pair) -> None:
    pair.start("w", "a", "b")
    pair.wait("all answer", lambda seen: {seen.state("a"), seen.state("b")} == {"READING"})
    began_s = time.monotonic()
    pair.bootstrap("a")
    seen = pair.wait("b is in sync", lambda seen: seen.in_sync("a", "b"))
    print(f"bootstrap and first copy: {time.monotonic() - began_s:.1f} s")
    assert seen.data["safe_to_fail_over"] is True, seen.data["because"]
    assert (seen.data["copies"], seen.data["sync"], seen.data["term"]) == (2, "b", 1)


def test_a_second_bootstrap_is_refused(pair: Pair) -> None:
    words = ["--admin", "mala", "--password-file", str(pair.home / "password")]
    said = pair.command("cluster", "bootstrap", "--node", "b", *words)
    assert (said.returncode, "not possible" in said.stderr) == (5, True), said


def test_people_get_a_table(pair: Pair) -> None:
    said = pair.command("cluster", "status")
    assert said.returncode == 0
    assert "copies: two" in said.stdout
    assert "safe to fail over? yes" in said.stdout


def test_people_and_programs_get_the_monitor(pair: Pair) -> None:
    said = pair.command("monitor", "--once")
    assert said.returncode == 0
    assert "safe to fail over? yes, lost: 0" in said.stdout
    found = json.loads(pair.command("monitor", "--once", "--json").stdout)
    assert (found["version"], found["primary"], found["lost"]) == (1, "a", 0)
    assert all("|" in link["beats"] for node in found["nodes"] for link in node["links"])


def test_a_primary_that_is_restarted_in_order_while_paused_goes_on(pair: Pair) -> None:
    """Its standby took the last record of its shutdown along: it reaches that one, too."""
    assert pair.command("cluster", "pause").returncode == 0
    pair.processes["a"].terminate()
    pair.processes["a"].wait(15)
    pair.start("a")
    seen = pair.wait("a serves on", lambda seen: seen.data["primary"] == "a")
    assert "set back" not in str(seen)
    assert pair.command("cluster", "resume").returncode == 0
    pair.wait(
        "b is in sync", lambda seen: seen.in_sync("a", "b") and not seen.data["record"]["paused"]
    )


def test_a_primary_killed_whole_is_succeeded_and_comes_back(pair: Pair) -> None:
    killed_s = pair.kill("a")
    seen = pair.wait("b serves", lambda seen: seen.data["primary"] == "b")
    report("killed whole", killed_s, seen, "b")
    assert seen.data["copies"] == 1
    began_s = time.monotonic()
    pair.start("a")
    seen = pair.wait("a is in sync", lambda seen: seen.in_sync("b", "a"))
    print(f"rejoined in {time.monotonic() - began_s:.1f} s")
    assert seen.data["record"]["tli"] == 2


def test_a_dead_postmaster_is_handed_over_at_once(pair: Pair) -> None:
    killed_s = time.time()
    os.kill(pair.postmaster("b"), signal.SIGKILL)
    seen = pair.wait("a serves", lambda seen: seen.data["primary"] == "a")
    report("postmaster killed", killed_s, seen, "a")
    reason = seen.data["record"]["reason"]
    claims = [line["text"] for line in seen.node("a")["history"] if line["state"] == CLAIMED]
    assert "hands over" in claims[-1], (claims, reason)
    pair.wait("b is in sync", lambda seen: seen.in_sync("a", "b"))


def test_a_frozen_node_is_succeeded_and_serves_nothing_when_it_thaws(pair: Pair) -> None:
    frozen = [pair.processes["a"].pid, *processes_of(pair.pgdata("a"))]
    frozen_s = time.time()
    for pid in frozen:
        os.kill(pid, signal.SIGSTOP)
    seen = pair.wait("b serves", lambda seen: seen.data["primary"] == "b")
    report("silent", frozen_s, seen, "b")
    thawed_s = time.time()
    for pid in reversed(frozen):
        os.kill(pid, signal.SIGCONT)
    seen = pair.wait("a is in sync", lambda seen: seen.in_sync("b", "a"))
    states = [line["state"] for line in seen.node("a")["history"] if line["wall_s"] > thawed_s]
    assert not [state for state in states if state.startswith("PRIMARY")], states


def test_a_node_asked_to_stop_hands_over_and_ends(pair: Pair) -> None:
    asked_s = time.time()
    pair.processes["b"].terminate()
    assert pair.processes["b"].wait(6) == 0
    print(f"SIGTERM to end: {(time.time() - asked_s) * 1000:.0f} ms")
    assert processes_of(pair.pgdata("b")) == []
    seen = pair.wait("a serves", lambda seen: seen.data["primary"] == "a")
    report("stopped", asked_s, seen, "a")
    pair.start("b")
    seen = pair.wait("b is in sync", lambda seen: seen.in_sync("a", "b"))
    took = [line["text"] for line in seen.node("b")["history"] if "Cloning" in line["text"]]
    assert not took, "stopped in order it holds nothing of its own: it follows, without a clone"


def test_a_witness_that_comes_back_is_believed_again(pair: Pair) -> None:
    pair.processes["w"].kill()
    pair.processes["w"].wait(5)
    seen = pair.wait(
        "no protection",
        lambda seen: "no-arbiter" in seen.node("a")["alarms"],
    )
    assert seen.data["primary"] == "a", "an absent witness closes nothing"
    assert seen.data["safe_to_fail_over"] is False
    pair.start("w")
    pair.wait("protected again", lambda seen: seen.data["safe_to_fail_over"])


def test_a_second_daemon_on_the_same_folder_is_refused(pair: Pair) -> None:
    pair.start("a", again=True)
    assert pair.processes["again"].wait(WAIT_S) == 1
    assert "in use by process" in pair.log("again")


def test_a_killed_daemon_leaves_no_server_behind(pair: Pair) -> None:
    """PostgreSQL survives its daemon (fact F18): the next life stops it before anything else."""
    postmaster = pair.postmaster("b")
    pair.processes["b"].kill()
    pair.processes["b"].wait(5)
    assert postmaster in processes_of(pair.pgdata("b"))
    pair.start("b")
    pair.wait("the stray is stopped", lambda _: postmaster not in processes_of(pair.pgdata("b")))
    pair.wait("b is in sync", lambda seen: seen.in_sync("a", "b"))
