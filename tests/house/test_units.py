"""The units under deploy/ start what exists, stop it in the order that hands over, and shut it in.

A unit is read as systemd reads it: sections of ``Name=value``, comments at the start of a line.
"""

import shlex
from configparser import ConfigParser
from pathlib import Path

import pytest

from cluster.node import END_S, STOP_S
from cluster.timers import Timers
from mpowerd.__main__ import main
from mpowerd.running import CLOSE_S

HOUSE = Path(__file__).resolve().parents[2]
UNITS = sorted((HOUSE / "deploy" / "systemd").glob("*.service"))
SHUT_IN = {
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "NoNewPrivileges": "yes",
    "CapabilityBoundingSet": "",
    "LimitCORE": "0",
    "StateDirectoryMode": "0700",
    "UMask": "0077",
}


class Unit(ConfigParser):
    def optionxform(self, optionstr: str) -> str:
        return optionstr


def service(path: Path) -> dict[str, str]:
    read = Unit(interpolation=None, delimiters=["="], comment_prefixes=["#"])
    read.read_string(path.read_text())
    return dict(read["Service"])


def seconds(said: str) -> float:
    assert said.endswith("s"), f"{said}: write the unit"
    return float(said.removesuffix("s"))


def test_there_are_units_for_both_services() -> None:
    assert [unit.name for unit in UNITS] == ["mpower-node.service", "mpower-witness.service"]


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.stem)
def test_a_unit_starts_a_command_that_exists(unit: Path) -> None:
    program, verb, option, settings = shlex.split(service(unit)["ExecStart"])
    assert program.endswith("/bin/mpowerd")
    assert verb in main.commands
    assert option in {name for one in main.commands[verb].params for name in one.opts}
    assert settings.startswith("/etc/mpower/")


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.stem)
def test_a_unit_is_shut_in(unit: Path) -> None:
    said = service(unit)
    assert {name: said.get(name) for name in SHUT_IN} == SHUT_IN
    assert said["User"] not in {"", "root"}


def test_a_node_has_time_to_hand_over_and_takes_its_database_with_it() -> None:
    said = service(HOUSE / "deploy" / "systemd" / "mpower-node.service")
    assert seconds(said["TimeoutStopSec"]) > STOP_S + END_S + CLOSE_S
    assert said["KillMode"] == "mixed", "SIGTERM to the daemon alone, SIGKILL to what is left"
    assert seconds(said["WatchdogSec"]) > 2 * Timers().takeover_s, "the standby decides first"
