"""Failover beside the peers: who takes part, how gaps are summed up, what the peers say."""

import re
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from bench.__main__ import BENCHES, FAMILY, chosen, errands, peers
from bench.counters import Counters
from bench.failover.auto_failover import primary_of
from bench.failover.contest import PEERS, Entrant, Tally, fought
from bench.failover.ground import HOSTS, Ground, Lan, orphans
from bench.failover.patroni import leader
from bench.failover.readme import BEGIN, END, block, placed
from bench.failover.strikes import PULLS_CABLES, SHOWS_LATER_S, STRIKES
from bench.failover.system import NotThereError
from bench.failover.versions import PATRONI, PG_AUTO_FAILOVER
from bench.figures import Options


def test_every_strike_is_a_figure_and_every_figure_of_the_contest_a_strike() -> None:
    figures = [name for name, place in BENCHES.items() if place[0] == FAMILY]
    assert [name.partition(".")[2] for name in figures] == list(STRIKES)
    assert set(STRIKES) >= PULLS_CABLES
    assert set(SHOWS_LATER_S) <= set(STRIKES)


def test_figures_that_are_measured_together_are_one_errand() -> None:
    found = errands(chosen(["wan.first_payment", "failover.killed", "failover.silent"]))
    assert found == [
        (FAMILY, "measured", ("failover.killed", "failover.silent")),
        ("bench.wan", "first_payment", ("wan.first_payment",)),
    ]


def test_peers_are_all_or_those_named_or_nobody() -> None:
    assert peers([]) == Options().peers == tuple(PEERS)
    assert peers(["pg_auto_failover"]) == ("pg_auto_failover",)
    assert peers(["none"]) == ()
    with pytest.raises(ValueError, match="no peer 'repmgr'"):
        peers(["repmgr"])


def tally(**gaps: list[float]) -> Tally:
    found = Tally("killed")
    for name, ones in gaps.items():
        for one in ones:
            found.take(name, one)
    return found


def test_ours_stands_against_the_better_peer() -> None:
    found = tally(mpower=[400, 500, 450], patroni=[6000], pg_auto_failover=[900])
    ours, patroni, other = found.figures()
    assert (ours.bench, ours.value, ours.worst, ours.unit) == ("failover.killed", 450, 500, "ms")
    assert (ours.against, ours.ratio) == (900, 2)
    assert (patroni.bench, patroni.value) == ("failover.killed@patroni", 6000)
    assert (other.bench, other.against) == ("failover.killed@pg_auto_failover", None)
    assert found.row("mpower")[2:5] == (450, 500, 3)


def test_who_could_not_be_had_has_no_figure_but_a_row_with_the_reason() -> None:
    found = tally(mpower=[400], patroni=[6000, 7000])
    found.leave_out("patroni", "no end within 90 s (run 3)")
    assert [one.bench for one in found.figures()] == ["failover.killed"]
    assert found.row("patroni")[2:] == (None, None, 0, "no end within 90 s (run 3)")
    assert list(tally().figures()) == []


def test_a_strike_the_ground_does_not_allow_is_said_for_everybody() -> None:
    who, made = entrant([])
    found = fought("silent", [who], Ground(), 5)
    assert "network namespaces" in str(found.row("standing")[-1])
    assert made == []


MEMBERS = [
    {"Member": "a", "Role": "Leader", "State": "running"},
    {"Member": "b", "Role": "Sync Standby", "State": "streaming"},
]


def test_patroni_is_settled_with_a_synchronous_standby_that_streams() -> None:
    assert leader(MEMBERS) == "a"
    assert leader([MEMBERS[0], MEMBERS[1] | {"Role": "Replica"}]) is None
    assert leader([MEMBERS[0], MEMBERS[1] | {"State": "stopped"}]) is None
    assert leader([]) is None


def node(name: str, now: str, wanted: str = "") -> dict[str, str]:
    return {
        "nodename": name,
        "current_group_state": now,
        "assigned_group_state": wanted or now,
    }


def test_pg_auto_failover_is_settled_where_its_monitor_wants_both() -> None:
    assert primary_of([node("a", "secondary"), node("b", "primary")]) == "b"
    assert primary_of([node("a", "secondary"), node("b", "primary", "draining")]) is None
    assert primary_of([node("a", "catchingup"), node("b", "wait_primary")]) is None
    assert primary_of([]) is None


def test_hosts_have_addresses_of_their_own() -> None:
    for ground in (Ground(), Lan()):
        assert len({ground.address(host) for host in HOSTS}) == len(HOSTS)
    assert Ground().enter("a") == []
    assert not Ground.pulls_cables
    with pytest.raises(NotImplementedError):
        Ground().pull("a")


def test_every_peer_is_pinned() -> None:
    assert all(re.search(r"==\d", pin) for pin in PATRONI)
    assert all(re.match(r"\d", version) for version in PG_AUTO_FAILOVER.values())


class Standing:
    """A system that comes back as often as it is told to."""

    name = "standing"

    def __init__(self, settles: list[bool]) -> None:
        self._settles = settles
        self.closed = 0

    def settled(self) -> str:
        if not self._settles.pop(0):
            raise NotThereError("it fell over\nwith a long log")
        return "a"

    def postmaster(self, node: str) -> int:
        raise AssertionError(node)

    def daemons(self, node: str) -> list[int]:
        raise AssertionError(node)

    def revive(self, node: str) -> None:
        raise AssertionError(node)

    def hand_over(self, primary: str) -> None:
        raise AssertionError(primary)

    def writers(self) -> AbstractContextManager[Counters]:
        raise AssertionError

    def close(self) -> None:
        self.closed += 1


def entrant(settles: list[bool]) -> tuple[Entrant, list[Standing]]:
    made: list[Standing] = []

    def make(*_: Any) -> Standing:
        made.append(Standing(settles))
        return made[-1]

    return Entrant("standing", make, Ground()), made


def test_a_system_that_does_not_come_back_is_made_anew_once() -> None:
    who, made = entrant([True, False, True])
    try:
        first, second = who.ready(), who.ready()
    finally:
        who.close()
    assert first is not None
    assert second is not None
    assert (first[0], second[0]) == (made[0], made[1])
    assert [one.closed for one in made] == [1, 1]


def test_a_system_that_falls_twice_is_out_with_its_reason() -> None:
    who, made = entrant([False, False])
    assert who.ready() is None
    assert who.reason == "not run: it fell over"
    assert who.ready() is None
    assert [one.closed for one in made] == [1, 1]


def test_a_system_that_cannot_be_made_is_out_and_leaves_no_folder(tmp_path: Path) -> None:
    homes: list[Path] = []

    def make(_: Ground, home: Path, __: int) -> Standing:
        homes.append(home)
        raise NotThereError("etcd is not installed")

    who = Entrant("patroni", make, Ground())
    assert who.ready() is None
    assert "etcd is not installed" in who.reason
    assert not any(home.exists() for home in homes)


def test_only_namespaces_of_rigs_that_ended_are_swept() -> None:
    names = ["mpbench12-a", "mpbench12-lan", "mpbench34-a", "mpbenchx-a", "other12-a"]
    assert orphans(names, lambda pid: pid == 34) == ["mpbench12-a", "mpbench12-lan"]


def test_the_readme_s_table_tells_what_was_measured_and_how() -> None:
    rows = [("killed", "mpower", 210.4, 260.0, 5, ""), ("killed", "patroni", None, None, 0, "out")]
    text = block(rows, 5, "2 cores")
    assert "| killed | mpower | 210 | 260 | 5 |  |" in text
    assert "| killed | patroni | – | – | 0 | out |" in text
    assert "make bench ONLY=failover RUNS=5" in text
    page = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    assert placed(page, "new") == f"before\n{BEGIN}\nnew\n{END}\nafter\n"
    with pytest.raises(ValueError, match="no place"):
        placed("nothing", "new")
