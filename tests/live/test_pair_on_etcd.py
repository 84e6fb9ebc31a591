"""A real pair whose arbiter is a real etcd of three members: killed, succeeded, healed, with a
member less.
"""

from collections.abc import Iterator

import pytest

from tests.etcd_members import Members, etcd_members
from tests.live.pair import Pair, live_pair
from tests.live.test_pair import report

pytestmark = [pytest.mark.etcd, pytest.mark.long]


@pytest.fixture(scope="module")
def etcd() -> Iterator[Members]:
    with etcd_members() as members:
        members.start()
        yield members


@pytest.fixture(scope="module")
def pair(etcd: Members) -> Iterator[Pair]:
    with live_pair(etcd=etcd.settings()) as pair:
        yield pair


def test_a_cluster_is_made_without_a_witness(pair: Pair) -> None:
    pair.start("a", "b")
    pair.wait("all answer", lambda seen: {seen.state("a"), seen.state("b")} == {"READING"})
    pair.bootstrap("a")
    seen = pair.wait("b is in sync", lambda seen: seen.in_sync("a", "b"))
    assert seen.data["safe_to_fail_over"] is True


def test_a_primary_killed_whole_is_succeeded_and_comes_back(pair: Pair) -> None:
    killed_s = pair.kill("a")
    seen = pair.wait("b serves", lambda seen: seen.data["primary"] == "b")
    report("killed whole", killed_s, seen, "b")
    pair.start("a")
    pair.wait("a is in sync", lambda seen: seen.in_sync("b", "a"))


def test_a_killed_member_changes_nothing(pair: Pair, etcd: Members) -> None:
    leader = etcd.leader()
    before = pair.look().data["record"]
    etcd.kill(leader)
    killed_s = pair.kill("b")
    seen = pair.wait("a serves", lambda seen: seen.data["primary"] == "a")
    report("killed whole, with the etcd's leader", killed_s, seen, "a")
    assert seen.data["record"]["term"] == before["term"] + 1
    etcd.start(leader)
    pair.start("b")
    pair.wait("b is in sync", lambda seen: seen.in_sync("a", "b"))


def test_without_etcd_the_pair_goes_on_and_says_so(pair: Pair, etcd: Members) -> None:
    etcd.kill()
    seen = pair.wait("no protection", lambda seen: "no-arbiter" in seen.node("a")["alarms"])
    assert seen.state("a") == "PRIMARY_SYNC"
    assert seen.data["safe_to_fail_over"] is False
    etcd.start()
    pair.wait("protected again", lambda seen: seen.data["safe_to_fail_over"])


def test_an_etcd_made_anew_is_not_believed_until_it_is_rebuilt(pair: Pair, etcd: Members) -> None:
    before = pair.look().data["record"]
    etcd.begin_anew("second")
    pair.wait(
        "another etcd",
        lambda seen: all("arbiter-other" in seen.node(one).get("alarms", {}) for one in "ab"),
    )
    assert pair.look().state("a") == "PRIMARY_SYNC", "payments go on"
    said = pair.command("cluster", "arbiter", "rebuild")
    assert said.returncode == 0, pair.story(said.stderr)
    seen = pair.wait("safe again", lambda seen: seen.data["safe_to_fail_over"])
    assert seen.data["record"]["incarnation"] == before["incarnation"] + 1
    said = pair.command("cluster", "arbiter", "rebuild")
    assert (said.returncode, "nothing is lost" in said.stderr) == (5, True), said


def test_the_pair_on_the_new_etcd_fails_over(pair: Pair) -> None:
    pair.kill("a")
    seen = pair.wait("b serves", lambda seen: seen.data["primary"] == "b")
    assert seen.data["record"]["prev"] == "a"
    pair.start("a")
    pair.wait("a is in sync", lambda seen: seen.in_sync("b", "a"))
