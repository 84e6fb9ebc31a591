"""The board on three hosts and two offices: settings with real addresses, disks, services, people.

    home/  board/ (settings, certificates)  disks/{a,b,w}  logs/  journals/

Two links between the nodes; replication goes over one of them, drawn from the seed. What a plant
needs is put before the daemon's command here and nowhere else. This file must not know what will
happen to the board.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

from clients.demo.board import ADMIN, PASSWORD
from clients.demo.stage import environment
from config.folder import Paths, Plan, write_settings
from config.settings import NodeAddress, TimersSettings
from config.signing_in import SignInSettings
from tests.torture import network
from tests.torture.disk import Disk, images_in
from tests.torture.host import Host
from tests.torture.system import RigError

BANK: Final = "SBI"
OFFICE: Final = tuple(f"C{n:03}" for n in range(1, 9))
BRANCH: Final = ("C009", "C010")
OFFICER: Final = "C011"
COUNTERS: Final = (*OFFICE, *BRANCH, OFFICER)
NODE_MB: Final = 1600
"""Two copies of a small database during a clone, and its kept log."""
WITNESS_MB: Final = 64
TAKEOVERS: Final = 1000
"""An hour: a run has more in a minute than a board in a year, and a pair that pauses itself after
six waits for a person. The simulation plays that person.
"""
FURNISH_S: Final = 240.0


class Board:
    """Where everything is. ``hosts``: a, b and w."""

    def __init__(self, home: Path, replication: str, plant: str = "") -> None:
        self.home = home
        self.settings = home / "board"
        self.journals = home / "journals"
        self.logs = home / "logs"
        self.logs.mkdir()
        self.journals.mkdir()
        images = images_in(home)
        disks = {one: Disk(home / "disks" / one, NODE_MB, images) for one in ("a", "b")}
        disks["w"] = Disk(home / "disks" / "w", WITNESS_MB, images)
        self.paths = _write(self.settings, disks, self.journals, replication)
        self.environment = environment(self.settings)
        self.hosts = {
            name: Host(
                name,
                disk,
                self._service(name, plant),
                environment(),
                self.logs / f"{name}.log",
            )
            for name, disk in disks.items()
        }

    def _service(self, name: str, plant: str) -> list[str]:
        kind, file = (
            ("witness", self.paths.witness) if name == "w" else ("node", self.paths.nodes[name])
        )
        module = ["tests.torture.planted", plant] if plant else ["mpowerd"]
        return [sys.executable, "-m", *module, kind, "--settings", str(file)]

    def socket(self, node: str) -> Path:
        """The folder of the node's PostgreSQL socket; its port is 5432."""
        return self.hosts[node].disk.at / "data" / "postgres" / "run"

    def mpower(self, *words: str, limit_s: float = 180.0) -> str:
        """Run an operator's command where the rig stands; RigError with its words if it failed."""
        argv = [sys.executable, "-m", "clients", "--settings", str(self.settings), *words]
        return self._run(argv, limit_s)

    def ask(self, *words: str, limit_s: float = 120.0) -> tuple[int, str]:
        """Run an operator's command that may be refused: exit code and last line."""
        argv = [sys.executable, "-m", "clients", "--settings", str(self.settings), *words]
        try:
            done = self._ran(argv, limit_s)
        except RigError as late:
            return 1, str(late)
        said = (done.stderr or done.stdout).strip().splitlines()
        return done.returncode, f"{done.returncode}: {said[-1] if said else ''}"

    def bootstrap(self) -> None:
        """Make the cluster on a, and everything the board works with."""
        word = self.home / "admin.password"
        word.write_text(PASSWORD + "\n")
        self.mpower(
            *("cluster", "bootstrap", "--admin", ADMIN),
            *("--password-file", str(word), "--node", "a"),
        )
        argv = [sys.executable, "-m", "clients.demo.furnishing", str(self.settings)]
        self._run(network.inside("t", *argv, BANK, *COUNTERS), FURNISH_S)

    def _run(self, argv: list[str], limit_s: float) -> str:
        done = self._ran(argv, limit_s)
        if done.returncode != 0:
            raise RigError(f"'{' '.join(argv)}' ended with {done.returncode}: {done.stderr}")
        return done.stdout

    def _ran(self, argv: list[str], limit_s: float) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(
                argv,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=limit_s,
                check=False,
            )
        except subprocess.TimeoutExpired as late:
            raise RigError(f"'{' '.join(argv)}' is not done after {limit_s:g} s.") from late


def _write(settings: Path, disks: dict[str, Disk], journals: Path, replication: str) -> Paths:
    def node(name: str) -> NodeAddress:
        return NodeAddress(
            name=name,
            peer=[f"{network.address(name, one)}:7701" for one in ("town", "cross")],
            terminals=f"{network.address(name, 'town')}:7700",
            postgres=f"{network.address(name, replication)}:5432",
        )

    paths = write_settings(
        Plan(
            home=settings,
            name="torture",
            nodes=(node("a"), node("b")),
            witness=f"{network.address('w', 'town')}:7702",
            counters=COUNTERS,
            banks=(BANK,),
            node_data={one: disks[one].at / "data" for one in ("a", "b")},
            witness_data=disks["w"].at / "data",
            journal=journals,
            shared_buffers="64MB",
            wal_keep_mb=128,
            sign_in=SignInSettings(second_factor=[]),
            timers=TimersSettings(takeovers_per_hour=TAKEOVERS),
        )
    )
    settings.chmod(0o755)
    return paths
