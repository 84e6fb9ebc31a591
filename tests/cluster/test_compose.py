"""What PostgreSQL is told of a node's settings."""

import socket
from pathlib import Path

import pytest
from msgspec import structs

from cluster.compose import addresses_of, mebibytes, plan_of
from cluster.timers import Timers, timers_of
from config.settings import TimersSettings
from tests.cluster.board import Board


def test_the_plan_names_this_node_and_lets_the_peer_in(tmp_path: Path) -> None:
    settings = Board(tmp_path).nodes["a"]
    plan = plan_of(settings)
    assert (plan.node, plan.data_dir) == ("a", settings.data)
    assert f"127.0.0.1:{plan.port}" == settings.here.postgres
    assert (plan.listen, plan.peers) == (("127.0.0.1",), ("127.0.0.1",))
    assert plan.slot_keep_mib >= 2 * plan.wal_keep_mib


def test_a_first_start_measures_the_disk_where_the_data_will_be(tmp_path: Path) -> None:
    """Nothing of the path is there yet, as after ``mpower init``."""
    settings = structs.replace(Board(tmp_path).nodes["a"], data=tmp_path / "data" / "deep" / "a")
    assert plan_of(settings).slot_keep_mib > 0
    assert not (tmp_path / "data").exists()


def test_names_are_looked_up_and_each_address_comes_once() -> None:
    places = ["127.0.0.1:1", "localhost:2", "[::1]:3", "127.0.0.1:4"]
    assert addresses_of(places)[0] == "127.0.0.1"
    assert len(set(addresses_of(places))) == len(addresses_of(places))
    with pytest.raises(socket.gaierror):
        addresses_of(["no-such-host.invalid:1"])


@pytest.mark.parametrize(("said", "mib"), [("128MB", 128), ("2GB", 2048), ("512kB", 1)])
def test_sizes_are_in_mebibytes(said: str, mib: int) -> None:
    assert mebibytes(said) == mib


def test_configured_timers_reach_the_machine() -> None:
    assert timers_of(TimersSettings()) == Timers()
    short = structs.replace(TimersSettings(), takeover_ms=1500, solo_ms=700, stall_ms=300)
    timers = timers_of(short)
    assert (timers.takeover_s, timers.solo_s, timers.stall_s) == (1.5, 0.7, 0.3)
