"""A whole board on this machine for measuring: a witness and two nodes as real processes, in sync.

Settings and certificates are those any operator would get; the database is reached beside the
daemon, over the node's own socket, only to fill the board and to count. Every wait is bounded. Only
processes started here, and their descendants, are signalled, each by its pid; leaving ends all and
removes the folder. This file must not know what is measured.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import psycopg
from msgspec import structs
from psycopg.conninfo import make_conninfo

from bench.board import PASSWORD
from bench.figures import tell
from clients.ops.init import loopback_plan
from config.folder import Plan, write_settings
from config.load import load_node
from config.settings import NodeSettings, split_address

HOUSE: Final = Path(__file__).resolve().parents[1]
WAIT_S: Final = 60.0
LOOK_S: Final = 0.1
STOP_S: Final = 15.0
ADMIN: Final = "bench"
SHARED_BUFFERS: Final = "256MB"
"""The same for both sides of a comparison: they use the same servers."""


class PairError(Exception):
    """The pair did not come to what was waited for; str() ends with the logs' last lines."""


Enter = Callable[[str], list[str]]
"""Gives the words before a command that make it run where that process belongs."""


def _here(name: str) -> list[str]:
    del name
    return []


class Pair:
    """The witness ``w`` and the nodes ``a`` and ``b``; commands are given on ``t``."""

    def __init__(self, home: Path, plan: Plan, enter: Enter = _here) -> None:
        plan = structs.replace(
            plan,
            node_data={name: home / name for name in ("a", "b")},
            witness_data=home / "w",
            shared_buffers=SHARED_BUFFERS,
        )
        self.home, self.paths = home, write_settings(plan)
        self._enter = enter
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    # ------------------------------------------------------------------- processes

    def start(self, *names: str) -> None:
        """Start these; their logs are in the home folder."""
        for name in names:
            kind, settings = (
                ("witness", self.paths.witness) if name == "w" else ("node", self.paths.nodes[name])
            )
            with (self.home / f"{name}.log").open("ab") as log:
                words = [sys.executable, "-m", "mpowerd", kind, "--settings", str(settings)]
                self._processes[name] = subprocess.Popen(
                    [*self._enter(name), *words],
                    cwd=HOUSE,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )

    def bootstrap(self) -> None:
        """Make the cluster on node a and wait until both copies are in sync."""
        self.start("w", "a", "b")
        self._wait("both nodes answer", lambda seen: len(seen.get("nodes", [])) == 2)
        secret = self.home / "password"
        secret.write_text(f"{PASSWORD}\n")
        words = ["bootstrap", "--admin", ADMIN, "--password-file", str(secret), "--node", "a"]
        said = self.mpower("cluster", *words)
        if said.returncode:
            raise PairError(self.story(said.stderr or said.stdout))
        self.wait_in_sync()

    def daemon(self, name: str) -> int:
        """Give the pid of a node's daemon."""
        return self._processes[name].pid

    def postmaster(self, name: str) -> int:
        """Give the pid of a node's PostgreSQL."""
        file = self.home / name / "postgres" / "data" / "postmaster.pid"
        return int(file.read_text().split()[0])

    def family(self, name: str) -> list[int]:
        """List a node's daemon and everything below it, the daemon first."""
        return family(self.daemon(name))

    def reap(self, name: str) -> None:
        """Wait for a daemon that was killed."""
        self._processes[name].wait(STOP_S)

    # ------------------------------------------------------------------- what it says

    def status(self) -> dict[str, Any]:
        """Ask as an operator asks; {} while nobody answers."""
        said = self.mpower("cluster", "status", "--json")
        found: dict[str, Any] = json.loads(said.stdout) if said.stdout.strip() else {}
        return found

    def wait_in_sync(self) -> str:
        """Wait until one node is primary and the other holds every payment; the primary's name."""
        seen = self._wait("two copies in sync", in_sync)
        return str(seen["primary"])

    def _wait(self, what: str, met: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        give_up_s = time.monotonic() + WAIT_S
        seen = self.status()
        while not met(seen):
            if time.monotonic() > give_up_s:
                raise PairError(self.story(f"Not within {WAIT_S:g} s: {what}.\n{seen}"))
            time.sleep(LOOK_S)
            seen = self.status()
        return seen

    def story(self, text: str) -> str:
        """Add the ends of the logs."""
        logs = [f"--- {path.name}\n{path.read_text()[-2000:]}" for path in self.home.glob("*.log")]
        return "\n".join([text, *logs])

    def settings(self, name: str) -> NodeSettings:
        """Give a node's settings."""
        return load_node(self.paths.nodes[name])

    def conninfo(self, name: str) -> str:
        """Say how the superuser reaches that node's database."""
        port = split_address(self.settings(name).here.postgres)[1]
        folder = self.home / name / "postgres" / "run"
        return make_conninfo("", host=str(folder), port=port, user="postgres", dbname="mpower")

    def ask(self, name: str, query: str) -> Any:
        """Give the first column of the first row."""
        with psycopg.connect(self.conninfo(name), autocommit=True) as connection:
            row = connection.execute(query.encode()).fetchone()
        return None if row is None else row[0]

    def mpower(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run an operator's command to its end."""
        return subprocess.run(
            [
                *self._enter("t"),
                *(sys.executable, "-m", "clients", "--settings", str(self.paths.home), *words),
            ],
            cwd=HOUSE,
            capture_output=True,
            text=True,
            timeout=2 * WAIT_S,
            check=False,
        )

    # ------------------------------------------------------------------- the end

    def close(self) -> None:
        """Stop nodes, then the witness; kill what does not stop."""
        for name in ("a", "b", "w"):
            process = self._processes.get(name)
            if process is None:
                continue
            members = family(process.pid) if process.poll() is None else []
            send(members, signal.SIGCONT)
            process.terminate()
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                send(members, signal.SIGKILL)
                process.wait(STOP_S)


def in_sync(seen: dict[str, Any]) -> bool:
    """Say whether a status shows a primary whose payments the other node holds."""
    states = sorted(str(node.get("state")) for node in seen.get("nodes", []))
    return states == ["PRIMARY_SYNC", "STANDBY_SYNC"]


def family(pid: int) -> list[int]:
    """List a process of ours and all its descendants, itself first."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    members, fresh = [pid], [pid]
    while fresh:
        fresh = [child for parent in fresh for child in children.get(parent, [])]
        members += fresh
    return members


def send(members: list[int], number: signal.Signals) -> None:
    """Signal processes of ours; one that is gone meanwhile is gone."""
    for pid in members:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


@contextmanager
def running_pair(counters: int) -> Iterator[Pair]:
    """A bootstrapped pair in a folder the database's own user may enter."""
    home = Path(tempfile.mkdtemp(prefix="mpower-bench-"))
    home.chmod(0o755)
    pair = None
    try:
        tell(f"A witness and two nodes start in {home} …")
        pair = Pair(home, loopback_plan(home / "board", "bench", counters))
        pair.bootstrap()
        yield pair
    finally:
        if pair is not None:
            pair.close()
        shutil.rmtree(home, ignore_errors=True)
