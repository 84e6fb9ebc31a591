"""The check-up of a machine: the mistakes of a first day are each named, with what to do."""

import datetime as dt
import json
import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from clients.ops.init import free_ports
from cluster.checkup.judging import DAY_S, Finding, Machine, Paper, expiring, findings
from config.folder import Paths, Plan, write_settings
from config.load import load_node
from config.settings import NodeAddress
from mpowerd.__main__ import main

WELL = Machine(me="a", data="/x", now_s=1e9, mode=0o700, free_mb=9999, overcommit=2)


def codes(**seen: object) -> list[str]:
    return [one.code for one in findings(msgspec.structs.replace(WELL, **seen))]


def test_a_machine_that_is_well_has_no_findings() -> None:
    assert codes() == []


@pytest.mark.parametrize(
    ("seen", "code"),
    [
        ({"identity": "node/b"}, "identity"),
        ({"mode": 0o750}, "mode"),
        ({"key_fits": False}, "key"),
        ({"owner": "root", "account": "postgres"}, "owner"),
        ({"clock_kept": False}, "clock"),
        ({"free_mb": 1023}, "disk"),
        ({"open_files": 256}, "files"),
        ({"overcommit": 0}, "overcommit"),
        ({"pressure": False}, "pressure"),
        ({"unit": False}, "unit"),
        ({"taken": ("127.0.0.1:1",)}, "port"),
        ({"unreachable": ("127.0.0.1:1",)}, "reach"),
        ({"trouble": (("postgres", "none is installed."),)}, "postgres"),
    ],
)
def test_each_thing_is_found_by_name(seen: dict[str, object], code: str) -> None:
    assert codes(**seen) == [code]


def test_the_ports_of_a_node_that_runs_are_its_own() -> None:
    assert codes(taken=("127.0.0.1:1",), runs=True) == []


def test_the_grave_come_first() -> None:
    assert codes(unit=False, mode=0o777) == ["mode", "unit"]


@pytest.mark.parametrize(
    ("days", "found"), [(-1.0, [True]), (0.0, [True]), (29.9, [False]), (30.0, []), (900.0, [])]
)
def test_certificates_are_told_a_month_ahead_and_grave_when_over(
    days: float, found: list[bool]
) -> None:
    papers = (Paper("a.crt", "CN=a", 1e9 + days * DAY_S),)
    assert [one.grave for one in expiring(papers, 1e9)] == found


def test_a_list_of_revoked_certificates_ends_too() -> None:
    papers = (Paper("r.crl", "CN=ca", 1e9 + 3 * DAY_S, revokes=True), Paper("c", "CN=a", 2e9))
    (found,) = expiring(papers, 1e9)
    assert (found.code, found.grave) == ("revoked", False)
    assert "ends in 3 days" in found.what


# ---- on a real machine, with real files


def folder(home: Path, **more: object) -> Paths:
    ports = free_ports(7)
    nodes = tuple(
        NodeAddress(
            name=name,
            peer=[f"127.0.0.1:{ports.pop()}"],
            terminals=f"127.0.0.1:{ports.pop()}",
            postgres=f"127.0.0.1:{ports.pop()}",
        )
        for name in ("a", "b")
    )
    plan = Plan(home=home, name="board", nodes=(nodes[0], nodes[1]), witness="127.0.0.1:9")
    return write_settings(plan, **more)  # type: ignore[arg-type]


@pytest.fixture
def home() -> Iterator[Path]:
    """Short: the path of PostgreSQL's socket has its limit."""
    with tempfile.TemporaryDirectory(prefix="mp") as made:
        yield Path(made) / "board"


def checked(paths: Paths, node: str = "a") -> tuple[Result, list[Finding]]:
    file = paths.nodes[node]
    done = CliRunner().invoke(main, ["check", "--settings", str(file), "--json"])
    if not done.stdout.startswith("{"):
        return done, []
    return done, msgspec.convert(json.loads(done.stdout)["findings"], list[Finding])


def test_a_fresh_folder_is_fit_to_run_and_says_who_is_missing(home: Path) -> None:
    done, found = checked(folder(home))
    assert done.exit_code == 0, done.output
    assert [one.code for one in found if one.grave] == []
    assert "reach" in [one.code for one in found], "nobody else runs yet"


def test_a_port_that_somebody_has(home: Path) -> None:
    paths = folder(home)
    text = paths.nodes["a"].read_text("utf-8")
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = f"127.0.0.1:{other.getsockname()[1]}"
        mine = load_node(paths.nodes["a"]).here.terminals
        paths.nodes["a"].write_text(text.replace(mine, taken), "utf-8")
        done, found = checked(paths)
    assert done.exit_code == 1
    assert [one.code for one in found if one.grave] == ["port"]
    assert taken in found[0].what


def test_the_other_nodes_certificate(home: Path) -> None:
    paths = folder(home)
    text = paths.nodes["a"].read_text("utf-8")
    paths.nodes["a"].write_text(text.replace("node-a.", "node-b."), "utf-8")
    done, found = checked(paths)
    assert (done.exit_code, found[0].code) == (1, "identity")


def test_a_key_of_another_certificate(home: Path) -> None:
    paths = folder(home)
    text = paths.nodes["a"].read_text("utf-8")
    paths.nodes["a"].write_text(text.replace("node-a.key", "node-b.key"), "utf-8")
    done, found = checked(paths)
    assert (done.exit_code, found[0].code) == (1, "key")


def test_a_list_that_is_none(home: Path) -> None:
    paths = folder(home)
    paths.revoked.write_text("none\n")
    done, found = checked(paths)
    assert (done.exit_code, found[0].code) == (1, "revoked")


def test_a_database_folder_of_somebody_else(home: Path) -> None:
    """Whoever runs this, the folder is not the database's user's."""
    paths = folder(home)
    pgdata = load_node(paths.nodes["a"]).data / "postgres" / "data"
    pgdata.mkdir(parents=True, mode=0o700)
    mine = [one.code for one in checked(paths)[1] if one.grave]
    assert ("owner" in mine) is (os.geteuid() == 0), "PostgreSQL never runs as root"


def test_papers_that_have_ended(home: Path) -> None:
    long_ago = dt.datetime.now(dt.UTC) - dt.timedelta(days=9000)
    done, found = checked(folder(home, now=long_ago))
    assert (done.exit_code, found[0].code) == (1, "certificate")
    assert "has ended" in found[0].what


def test_a_mistyped_key_is_named_with_its_file(home: Path) -> None:
    paths = folder(home)
    with paths.nodes["a"].open("a", encoding="utf-8") as file:
        file.write("\nnodee: a\n")
    done, _ = checked(paths)
    assert done.exit_code == 1
    assert "nodee" in done.output
    assert str(paths.nodes["a"]) in done.output
