"""``mpower pki`` as an operator types it: what it does to the folder, what it says to do next."""

import fcntl
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from clients.__main__ import mpower
from config.folder import write_settings
from tests.clients.plans import servers


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return write_settings(servers(tmp_path / "board")).home


@pytest.fixture
def said(home: Path) -> Callable[..., Result]:
    def run(*words: str) -> Result:
        return CliRunner().invoke(mpower, ["--settings", str(home), "pki", *words])

    return run


def listed(said: Callable[..., Result]) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(said("list", "--json").stdout)
    return answer


def test_the_list_names_everybody(said: Callable[..., Result]) -> None:
    answer = listed(said)
    assert {(one["kind"], one["name"]) for one in answer["certificates"]} == {
        ("bank", "SBI"),
        ("counter", "C001"),
        ("node", "a"),
        ("node", "b"),
        ("ops", "ops1"),
        ("witness", "w"),
    }
    assert (answer["version"], answer["rotating"]) == (1, False)
    text = said("list").stdout
    assert text.count("valid") == 6
    assert "The list of the revoked ends on" in text


def test_a_new_counter_is_told_with_the_command_that_brings_it(
    said: Callable[..., Result], home: Path
) -> None:
    answer = said("issue", "counter", "C017")
    assert answer.exit_code == 0
    assert "mpower pack C017 --part papers | ssh C017 tar -x -C /etc/mpower" in answer.stdout
    again = said("issue", "counter", "C017")
    assert (again.exit_code, "'renew' gives it the next one" in again.stderr) == (5, True)
    assert said("issue", "node", "a2").stderr.strip() == (
        "The certificate of node a2 needs a host."
    )
    assert said("issue", "king", "a").exit_code == 2


def test_a_lost_counter_is_revoked_whole_and_the_servers_are_named(
    said: Callable[..., Result],
) -> None:
    assert said("renew", "counter", "C001").exit_code == 0
    answer = said("revoke", "counter", "C001", "--reason", "key-compromise")
    assert answer.stdout.count("is on the list") == 2, "its earlier certificate as well"
    for machine in ("a", "b", "witness"):
        assert f"mpower pack {machine} --part trust | ssh {machine}" in answer.stdout
    assert "machines that call them" not in answer.stdout
    states = [one for one in listed(said)["certificates"] if one["name"] == "C001"]
    assert [(one["revoked"], one["reason"]) for one in states] == [(True, "key-compromise")] * 2
    again = said("revoke", "counter", "C001", "--reason", "retired")
    assert (again.exit_code, "has no valid certificate here" in again.stderr) == (5, True)


def test_a_serial_takes_back_one_and_a_node_concerns_everybody(
    said: Callable[..., Result],
) -> None:
    node = next(one for one in listed(said)["certificates"] if one["name"] == "b")
    answer = said("revoke", node["serial"][:10], "--reason", "retired")
    assert "node b" in answer.stdout
    assert "and on the 3 machines that call them" in answer.stdout
    assert said("revoke", "", "--reason", "retired").exit_code == 5
    assert said("revoke", "--reason", "retired").exit_code == 2
    assert said("revoke", "counter", "C001").exit_code == 2, "a reason is always said"


def test_what_ends_soon_is_renewed_and_nothing_else(said: Callable[..., Result]) -> None:
    assert said("renew", "--within", "30").stdout.strip() == "Nothing ends then."
    said("issue", "counter", "C009", "--days", "20")
    answer = json.loads(said("renew", "--within", "30", "--json").stdout)
    assert answer["renewed"] == [["counter", "C009"]]
    assert said("renew").exit_code == 2
    assert said("renew", "counter", "C404").exit_code == 5


def test_a_rotation_step_by_step(said: Callable[..., Result]) -> None:
    begun = said("rotate", "begin")
    assert "Step 1, now" in begun.stdout
    assert "mpower pack a --part trust" in begun.stdout
    assert len(json.loads(said("renew", "--all", "--json").stdout)["renewed"]) == 6
    early = said("rotate", "finish")
    assert (early.exit_code, "still valid: bank SBI" in early.stderr) == (5, True)
    assert said("revoke", "--superseded", "--reason", "superseded").exit_code == 0
    assert said("rotate", "finish").exit_code == 0
    assert listed(said)["rotating"] is False
    states = {(one["authority"], one["state"]) for one in listed(said)["certificates"]}
    assert states == {("board authority", "dropped"), ("board authority 2", "valid")}


def test_only_one_person_writes_at_a_time(said: Callable[..., Result], home: Path) -> None:
    descriptor = os.open(home / "pki", os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        busy = said("publish")
        assert (busy.exit_code, busy.stderr) == (
            5,
            "Another 'mpower pki' is at work in this folder.\n",
        )
        assert said("list").exit_code == 0
    finally:
        os.close(descriptor)


def test_a_folder_without_certificates_or_key_is_named(
    said: Callable[..., Result], home: Path, tmp_path: Path
) -> None:
    other = CliRunner().invoke(mpower, ["--settings", str(tmp_path), "pki", "list"])
    assert (other.exit_code, "is no settings folder" in other.stderr) == (1, True)
    (home / "pki/ca.key").unlink()
    keyless = said("publish")
    assert (keyless.exit_code, "put ca.key there" in keyless.stderr) == (5, True)


@pytest.mark.parametrize(
    ("part", "files"),
    [
        ("trust", {"pki/ca.crt", "pki/revoked.crl"}),
        ("papers", {"pki/ca.crt", "pki/revoked.crl", "pki/node-a.crt", "pki/node-a.key"}),
    ],
)
def test_a_part_leaves_the_settings_over_there_alone(
    home: Path, part: str, files: set[str]
) -> None:
    words = ["--settings", str(home), "pack", "a", "--part", part, "--list"]
    assert set(CliRunner().invoke(mpower, words).stdout.split()) == files
