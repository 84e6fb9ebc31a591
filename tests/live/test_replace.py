"""A real pair whose record moves: to another witness, to a real etcd, and back, while it serves;
what stops half-way goes on, and the closed arbiter never says yes again.
"""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from clients.ops.init import free_ports
from config.load import load_node, load_witness
from config.writing import settings_text
from tests.etcd_members import Members, etcd_members
from tests.live.pair import Pair, Seen, live_pair

pytestmark = [pytest.mark.etcd, pytest.mark.long]
FIRST, SECOND = "w", "w2"


class Moving(Pair):
    """A pair with a second witness, not started, called w2."""

    def program(self, name: str) -> list[str]:
        return super().program("w" if name == SECOND else name)

    def settings_of(self, name: str) -> Path:
        return self.home / "w2.yaml" if name == SECOND else super().settings_of(name)

    def second(self) -> str:
        """Write the second witness's settings; its address."""
        place = f"127.0.0.1:{free_ports(1)[0]}"
        said = load_witness(self.paths.witness)
        other = structs.replace(said, listen=place, data=self.home / "data" / SECOND)
        self.settings_of(SECOND).write_text(settings_text(other))
        return place

    def name(self, node: str, **changes: Any) -> None:
        """Write another arbiter into this node's settings."""
        file = self.paths.nodes[node]
        said = load_node(file)
        cluster = structs.replace(said.cluster, **changes)
        file.write_text(settings_text(structs.replace(said, cluster=cluster)))

    def replace(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self.command("cluster", "arbiter", "replace", *words)


def alarmed(seen: Seen, node: str, alarm: str) -> bool:
    return alarm in seen.node(node).get("alarms", {})


@pytest.fixture(scope="module")
def etcd() -> Iterator[Members]:
    with etcd_members() as members:
        members.start()
        yield members


@pytest.fixture(scope="module")
def pair() -> Iterator[Moving]:
    with live_pair(Moving) as pair:
        assert isinstance(pair, Moving)
        pair.start("w", "a", "b")
        pair.wait("all answer", lambda seen: {seen.state("a"), seen.state("b")} == {"READING"})
        pair.bootstrap("a")
        pair.wait("b is in sync", lambda seen: seen.in_sync("a", "b"))
        yield pair


def test_nothing_is_moved_while_the_settings_name_the_present_arbiter(pair: Moving) -> None:
    said = pair.replace()
    assert (said.returncode, "nothing is to be moved" in said.stderr) == (5, True), said


def test_nor_to_what_the_nodes_do_not_agree_about_nor_to_what_does_not_answer(pair: Moving) -> None:
    place = pair.second()
    pair.name("a", witness=place)
    said = pair.replace()
    assert (said.returncode, "name different arbiters" in said.stderr) == (5, True), said
    pair.name("b", witness=place)
    said = pair.replace()
    assert (said.returncode, f"cannot use witness {place}" in said.stderr) == (5, True), said
    assert pair.look().data["record"]["moved"] == ""


def test_the_record_moves_to_another_witness_and_the_pair_serves_on(pair: Moving) -> None:
    before = pair.look().data["record"]
    pair.start(SECOND)
    said = pair.replace("--dry-run")
    assert (said.returncode, "can be moved" in said.stdout) == (0, True), said
    said = pair.replace()
    assert said.returncode == 0, pair.story(said.stderr)
    client = pair.home / "mpower.yaml"
    place = load_witness(pair.settings_of(SECOND)).listen
    old = load_witness(pair.paths.witness).listen
    pair.unwatch()
    client.write_text(client.read_text().replace(old, place))
    seen = pair.wait("safe", lambda seen: seen.data["safe_to_fail_over"])
    record = seen.data["record"]
    assert (record["incarnation"], record["term"]) == (before["incarnation"] + 1, before["term"])
    assert (record["moved"], seen.in_sync("a", "b")) == ("", True)
    states = [line["state"] for line in seen.node("a")["history"]]
    assert states.count("PRIMARY_SYNC") == 1, states


def test_the_old_witness_is_closed_for_ever(pair: Moving) -> None:
    """A node set back to the old settings alone neither serves nor claims there."""
    old = load_witness(pair.paths.witness).listen
    place = load_node(pair.paths.nodes["b"]).cluster.witness
    pair.name("b", witness=old)
    pair.kill("b")
    pair.start("b")
    seen = pair.wait("b says so", lambda seen: alarmed(seen, "b", "arbiter-rolled-back"))
    assert seen.data["primary"] == "a"
    pair.name("b", witness=place)
    pair.processes["b"].kill()  # it has not started PostgreSQL
    pair.processes["b"].wait(10)
    pair.start("b")
    pair.wait("b is in sync", lambda seen: seen.in_sync("a", "b"))


def test_the_moved_pair_fails_over(pair: Moving) -> None:
    pair.processes["w"].kill()
    pair.processes["w"].wait(10)
    pair.kill("a")
    pair.wait("b serves", lambda seen: seen.data["primary"] == "b")
    pair.start("a")
    pair.wait("a is in sync", lambda seen: seen.in_sync("b", "a"))


def test_it_moves_to_an_etcd_and_a_move_that_stopped_half_way_goes_on(
    pair: Moving, etcd: Members
) -> None:
    for node in ("a", "b"):
        pair.name(node, arbiter="etcd", etcd=etcd.settings())
    epoch = pair.look().data["epoch"]
    name = f"etcd {','.join(sorted(etcd.endpoints))} /mpower/"
    pair.ask("b", "close", to=name, epoch=str(epoch))  # and the operator's terminal dies
    seen = pair.wait("it is told", lambda seen: alarmed(seen, "a", "arbiter-moved"))
    assert seen.in_sync("b", "a")
    said = pair.command("cluster", "arbiter", "rebuild")
    assert (said.returncode, "arbiter replace" in said.stderr) == (5, True), said
    said = pair.command("cluster", "pause")
    assert (said.returncode, "was moved to" in said.stderr) == (5, True), said
    said = pair.replace()
    assert said.returncode == 0, pair.story(said.stderr)
    pair.processes[SECOND].kill()
    pair.processes[SECOND].wait(10)
    pair.unwatch()
    client = pair.home / "mpower.yaml"
    lines = client.read_text().splitlines(keepends=True)
    client.write_text("".join(one for one in lines if not one.startswith("witness:")))
    pair.wait("safe", lambda seen: seen.data["safe_to_fail_over"])
    pair.kill("b")
    pair.wait("a serves", lambda seen: seen.data["primary"] == "a")
    pair.start("b")
    pair.wait("b is in sync", lambda seen: seen.in_sync("a", "b"))


def test_and_back_to_the_first_witness_which_was_closed_before(pair: Moving) -> None:
    pair.start(FIRST)
    place = load_witness(pair.paths.witness).listen
    for node in ("a", "b"):
        pair.name(node, arbiter="witness", witness=place)
    said = pair.replace()
    assert said.returncode == 0, pair.story(said.stderr)
    seen = pair.wait("both serve on", lambda seen: seen.in_sync("a", "b"))
    assert seen.data["record"]["incarnation"] == 4
