"""Which standby is counted on: each thing that is wrong has a name, a reason and a remedy."""

import pytest
from msgspec import structs

from cluster import events as ev
from cluster.explain import explain
from cluster.fitness import MUST_BE, NOT_LOWER, comes_from, complaints
from cluster.postgres.memory_folder import GROUND
from cluster.states import State
from cluster.view import alarms_of
from tests.cluster.test_machine import SERVING, Node, peer_beat, primary_alone

STREAM = ev.Walsender("b_0", "streaming", 90, "10.0.0.2", 90)


def asked(beat: dict[str, object] | None = None, **facts: object) -> Node:
    """A primary alone whose standby has just come close."""
    node = primary_alone()
    node.feed(peer_beat(1, "STANDBY_CATCHUP", **(beat or {})))
    row = structs.replace(SERVING, walsenders=(STREAM,), peer_hosts=("10.0.0.2",))
    node.feed(ev.Probed(structs.replace(row, **facts)))
    return node


def refused(node: Node, code: str) -> str:
    """It did not go into the sync entry, says why, and what to do."""
    assert node.mind.state is State.PRIMARY_SOLO
    found = [one for one in complaints(node.mind) if one.code == code]
    assert len(found) == 1, complaints(node.mind)
    assert found[0].why in explain(node.mind).sync.text
    fit = next(one for one in explain(node.mind).sync.guards if one.code == "FIT")
    assert found[0].do in fit.do
    assert found[0].do.endswith((".", "synchronous_commit."))
    return found[0].why


def test_a_standby_that_fits_is_brought_in_sync() -> None:
    node = asked()
    assert node.mind.state is State.SYNC_ENTRY
    assert complaints(node.mind) == ()
    assert "unfit" not in alarms_of(node.mind)


@pytest.mark.parametrize("name", MUST_BE)
@pytest.mark.parametrize("where", ["a", "b"])
def test_a_setting_under_which_a_flush_means_nothing(name: str, where: str) -> None:
    wrong = "on" if MUST_BE[name][0] == ("off",) else "off"
    ground = structs.replace(GROUND, **{name: wrong})
    node = asked(ground=ground) if where == "a" else asked({"ground": ground})
    assert refused(node, name.upper()).startswith(f"{name} is {wrong} on {where}: ")
    assert f"{name} is {wrong}".lower() in alarms_of(node.mind)["unfit"].lower()


@pytest.mark.parametrize("level", ["local", "remote_write", "off"])
def test_every_weaker_synchronous_commit(level: str) -> None:
    ground = structs.replace(GROUND, synchronous_commit=level)
    assert level in refused(asked(ground=ground), "SYNCHRONOUS_COMMIT")


def test_a_role_with_a_weaker_level_of_its_own() -> None:
    said = "role mpower_app has synchronous_commit=off"
    node = asked(ground=structs.replace(GROUND, weakened=said))
    assert said in refused(node, "SYNCHRONOUS_COMMIT")


@pytest.mark.parametrize("name", NOT_LOWER)
def test_lower_limits_on_the_standby_only(name: str) -> None:
    mine = structs.replace(GROUND, **{name: 70})
    less, more = structs.replace(GROUND, **{name: 69}), structs.replace(GROUND, **{name: 71})
    why = refused(asked({"ground": less}, ground=mine), name.upper())
    assert why == f"{name} is 69 on b and 70 on a"
    assert asked({"ground": more}, ground=mine).mind.state is State.SYNC_ENTRY


def test_another_major_release_and_only_another_major() -> None:
    other = structs.replace(GROUND, version=160_004)
    assert refused(asked({"ground": other}), "VERSION") == "b runs PostgreSQL 16, a 15"
    minor = structs.replace(GROUND, version=150_012)
    assert asked({"ground": minor}).mind.state is State.SYNC_ENTRY


def test_a_standby_that_tells_nothing_is_not_counted_on() -> None:
    node = asked({"ground": None})
    refused(node, "SETTINGS_UNKNOWN")
    assert "unfit" not in alarms_of(node.mind), "the first second of every standby"


def test_another_database_and_another_timeline() -> None:
    assert "s2" in refused(asked({"system_id": "s2"}), "SYSTEM_ID")
    assert "timeline 2" in refused(asked({"tli": 2}), "TIMELINE")


def test_paused_replay() -> None:
    assert "paused" in refused(asked({"replay_paused": True}), "REPLAY_PAUSED")


def test_a_server_that_is_not_the_peer() -> None:
    stranger = structs.replace(STREAM, address="10.0.0.66")
    assert "10.0.0.66" in refused(asked(walsenders=(stranger,)), "FOREIGN")
    twice = (STREAM, structs.replace(STREAM, application_name="b_3"))
    assert "2 servers" in refused(asked(walsenders=twice), "FOREIGN")
    refused(asked({"receiving": False}), "NOT_RECEIVING")


def test_a_backup_under_a_name_of_its_own_is_nobodys_business() -> None:
    backup = ev.Walsender("pg_basebackup", "backup", 0, "10.0.0.66")
    assert asked(walsenders=(STREAM, backup)).mind.state is State.SYNC_ENTRY


def test_the_way_back_is_open_when_the_cause_is_gone() -> None:
    node = asked({"ground": structs.replace(GROUND, fsync="off")})
    assert complaints(node.mind)
    node.feed(peer_beat(2, "STANDBY_CATCHUP"))
    assert node.mind.state is State.SYNC_ENTRY
    assert "unfit" not in alarms_of(node.mind)


def test_networks_and_scoped_addresses() -> None:
    assert comes_from("10.0.0.7", ("10.0.0.0/24",))
    assert not comes_from("10.0.1.7", ("10.0.0.0/24", "::1"))
    assert comes_from("fe80::1%eth0", ("fe80::1%eth1",))
    assert comes_from("", ("10.0.0.2",))
