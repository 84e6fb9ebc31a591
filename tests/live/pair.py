"""A whole cluster of real processes on loopback for live tests: a witness and two nodes.

    with live_pair() as pair:
        pair.start("w", "a", "b")
        pair.bootstrap("a")
        pair.wait("in sync", lambda seen: seen.in_sync("a", "b"))

Every wait is bounded and fails with what was seen last. Only processes started here are signalled,
by their pid; leaving the context ends them all and removes the folder.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from msgspec import structs

from clients.ops.init import loopback_plan
from config.folder import Paths, write_settings
from config.load import load_node
from config.settings import EtcdSettings, TimersSettings

HOUSE = Path(__file__).resolve().parents[2]
WAIT_S = 30.0


class Seen:
    """One answer of ``mpower cluster status --json``."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data

    def node(self, name: str) -> dict[str, Any]:
        found = [one for one in self.data.get("nodes", []) if one["node"] == name]
        return found[0] if found else {"node": name, "state": "silent", "history": []}

    def state(self, name: str) -> str:
        return str(self.node(name)["state"])

    def in_sync(self, primary: str, standby: str) -> bool:
        return (
            self.state(primary) == "PRIMARY_SYNC"
            and self.state(standby) == "STANDBY_SYNC"
            and self.data["primary"] == primary
        )

    def entered(self, name: str, state: str) -> float:
        """When this node last entered the state (Unix seconds)."""
        times = [line["wall_s"] for line in self.node(name)["history"] if line["state"] == state]
        assert times, f"{name} was never {state}: {self.node(name)['history']}"
        return float(times[-1])

    def __str__(self) -> str:
        lines = [
            f"{one['node']}: {one['state']} {one['reason']} {one['alarms']}"
            for one in self.data.get("nodes", [])
        ]
        return "\n".join([*lines, str(self.data.get("record")), str(self.data.get("silent"))])


class Pair:
    """The processes, by name: w, a, b."""

    def __init__(self, paths: Paths, home: Path, data: dict[str, Path]) -> None:
        self.paths = paths
        self.data = data
        self.home = home
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._watch: subprocess.Popen[str] | None = None

    def start(self, *names: str, again: bool = False) -> None:
        """Start these; ``again``: one more process beside the one that runs, called "again"."""
        for name in names:
            settings = self.settings_of(name)
            argv = self.program(name)
            called = "again" if again else name
            with (self.home / f"{called}.log").open("ab") as log:
                self.processes[called] = subprocess.Popen(
                    [*argv, "--settings", str(settings)],
                    cwd=HOUSE,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                )

    def settings_of(self, name: str) -> Path:
        """Whose settings are whose."""
        return self.paths.witness if name == "w" else self.paths.nodes[name]

    def program(self, name: str) -> list[str]:
        """What is run under that name, without its settings."""
        return [sys.executable, "-m", "cluster", *(["--witness"] if name == "w" else [])]

    def command(self, *words: str, limit_s: float = 150.0) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "clients", "--settings", str(self.home), *words],
            cwd=HOUSE,
            capture_output=True,
            text=True,
            timeout=limit_s,
            check=False,
        )

    def ask(self, node: str, verb: str, **arguments: str) -> None:
        """One verb as it goes over the peer port, without the command that would go on from it."""
        place = load_node(self.paths.nodes[node]).here.peer[0]
        words = [str(self.home), place, verb, json.dumps(arguments)]
        argv = [sys.executable, "-m", "tests.live.one_verb", *words]
        said = subprocess.run(argv, cwd=HOUSE, capture_output=True, timeout=60, check=False)
        assert said.returncode == 0, self.story(f"{said.stdout!r} {said.stderr!r}")

    def unwatch(self) -> None:
        """Look anew: the clients' settings have changed."""
        if self._watch is not None:
            self._watch.kill()
            self._watch.communicate()
            self._watch = None

    def bootstrap(self, node: str) -> None:
        password = self.home / "password"
        password.write_text("correct horse battery\n")
        words = ["cluster", "bootstrap", "--admin", "asha", "--password-file", str(password)]
        said = self.command(*words, "--node", node)
        assert said.returncode == 0, self.story(said.stderr)

    def look(self) -> Seen:
        """What a ``status --watch`` that runs beside sees from now on; older lines are old."""
        now_s = time.time()
        if self._watch is None:
            argv = [sys.executable, "-m", "clients", "--settings", str(self.home)]
            self._watch = subprocess.Popen(
                [*argv, "cluster", "status", "--watch", "--json"],
                cwd=HOUSE,
                stdout=subprocess.PIPE,
                text=True,
            )
        assert self._watch.stdout is not None
        while True:
            line = self._watch.stdout.readline()
            assert line, self.story("The watch ended.")
            data = json.loads(line)
            if data["at_s"] >= now_s:
                return Seen(data)

    def wait(self, what: str, met: Callable[[Seen], bool], limit_s: float = WAIT_S) -> Seen:
        """Look until ``met``; the failure says what was seen last and the ends of the logs."""
        give_up_s = time.monotonic() + limit_s
        seen = self.look()
        while not met(seen):
            if time.monotonic() > give_up_s:
                raise AssertionError(self.story(f"Not within {limit_s:g} s: {what}.\n{seen}"))
            seen = self.look()
        return seen

    def log(self, name: str) -> str:
        return (self.home / f"{name}.log").read_text()

    def story(self, text: str) -> str:
        """A failure with the ends of all logs."""
        logs = [f"--- {name}\n{self.log(name)[-3000:]}" for name in self.processes]
        return "\n".join([text, *logs])

    def pgdata(self, name: str) -> Path:
        return self.data[name] / "postgres" / "data"

    def postmaster(self, name: str) -> int:
        file = self.pgdata(name) / "postmaster.pid"
        return int(file.read_text().split()[0])

    def kill(self, name: str) -> float:
        """SIGKILL the daemon and its postmaster; the wall time."""
        postmaster = self.postmaster(name)
        now_s = time.time()
        self.processes[name].kill()
        os.kill(postmaster, signal.SIGKILL)
        self.processes[name].wait(10)
        return now_s

    def close(self) -> None:
        self.unwatch()
        for process in self.processes.values():
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.terminate()
        for process in self.processes.values():
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)


class Daemons(Pair):
    """The same, as whole daemons: with terminals on top."""

    def program(self, name: str) -> list[str]:
        return [sys.executable, "-m", "mpowerd", "witness" if name == "w" else "node"]


@contextmanager
def live_pair(
    kind: type[Pair] = Pair,
    etcd: EtcdSettings | None = None,
    timers: TimersSettings | None = None,
) -> Iterator[Pair]:
    """A written settings folder that the database's user may enter, and its processes' end."""
    with tempfile.TemporaryDirectory(prefix="mpower-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        home.chmod(0o755)
        data = {name: home / f"data-{name}" for name in ("a", "b")}
        plan = structs.replace(loopback_plan(home / "board", "demo"), node_data=data)
        if timers is not None:
            plan = structs.replace(plan, timers=timers)
        if etcd is not None:
            plan = structs.replace(plan, witness=None, etcd=etcd)
        pair = kind(write_settings(plan), home / "board", data)
        try:
            yield pair
        finally:
            pair.close()


@contextmanager
def told_apart(module: str, limit_s: float) -> Iterator[dict[str, dict[str, Any]]]:
    """What a module says that runs in a process of its own, as it needs namespaces or mounts: its
    lines of JSON, by their ``what``. It is given a folder.
    """
    with tempfile.TemporaryDirectory(prefix="mpower-apart-", ignore_cleanup_errors=True) as home:
        Path(home).chmod(0o755)
        said = subprocess.run(
            [sys.executable, "-m", module, home],
            cwd=HOUSE,
            capture_output=True,
            text=True,
            timeout=limit_s,
            check=False,
        )
        assert said.returncode == 0, said.stdout + said.stderr[-4000:]
        lines = [json.loads(line) for line in said.stdout.splitlines() if line.startswith("{")]
        yield {line["what"]: line for line in lines}
