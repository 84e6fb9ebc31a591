"""The stage: a settings folder on free loopback ports, a witness and two nodes as real processes,
and their end.

Everything lives below one home folder that is removed at the end (or kept, with its logs, if
something went wrong). Services run in sessions of their own, so that Ctrl-C reaches only the demo,
which then stops them in order. This file must not know what is played on the stage.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from clients.demo import running, strokes, wires
from clients.demo.running import Process, Running
from clients.ops.init import loopback_plan
from config.folder import Paths, write_settings
from config.load import load_client
from config.proof import AuditSettings

SERVICES: Final = ("witness", "a", "b")
WIRES: Final = "wires"
"""The network between them (see ``wires``), where a person may cut it."""
STOP_DEADLINE_S: Final = 12.0
"""A node stops within five seconds; beyond this it is killed."""
LAST_LINES: Final = 15


class StageError(Exception):
    """The stage could not be set or something on it died; str() is the sentence, with the log's
    path.
    """


class Stage:
    """Owns the home folder and the three services."""

    def __init__(
        self, paths: Paths, counters: tuple[str, ...], bank: str, *, pointed: bool
    ) -> None:
        self._pointed = pointed
        self.paths = paths
        self.counters = counters
        self.bank = bank
        self.home = paths.home
        self._popen: dict[str, subprocess.Popen[bytes]] = {}
        self._running = Running(str(self.home), _myself(), {})
        self._cut: set[str] = set()

    @classmethod
    def build(cls, counters: int = 9, bank: str = "SBI", *, pointed: bool = False) -> Stage:
        """Write settings and certificates into a fresh folder which the database's own user may
        pass through.
        """
        home = Path(tempfile.mkdtemp(prefix="mpower-demo-"))
        home.chmod(0o755)
        plan = loopback_plan(home, counters=counters, banks=(bank,))
        plan = msgspec.structs.replace(plan, shared_buffers="64MB", wal_keep_mb=256)
        quick = AuditSettings(checkpoint_s=1)
        plan = msgspec.structs.replace(plan, journal=Path("journals"), audit=quick)
        paths = write_settings(plan)
        if pointed:
            wires.laid(plan, paths)
        (home / "logs").mkdir()
        return cls(paths, plan.counters, bank, pointed=pointed)

    def start(self, name: str) -> None:
        """Start a service by name ('witness' or a node's)."""
        self._popen[name] = started = launch(self.home, name)
        self._cut.discard(name)
        service = running.process(started.pid)
        if service is None:
            raise StageError(f"{name} ended at once. {self.last_lines(name)}")
        self._keep(services=self.services | {name: service})

    @property
    def names(self) -> tuple[str, ...]:
        """The services to start, in order."""
        return (WIRES, *SERVICES) if self._pointed else SERVICES

    @property
    def busy(self) -> tuple[str, ...]:
        """The counters where the scripted terminals sit."""
        return self.counters[:-1]

    @property
    def seat(self) -> str:
        """The counter that is kept free for whoever watches."""
        return self.counters[-1]

    def cut(self, name: str, moment: Callable[[], None] = lambda: None) -> list[Process]:
        """Cut a service's power when ``moment`` returns, at once. Return who was hit."""
        self.spare(name)
        return strokes.kill(self.services[name], moment)

    def spare(self, name: str) -> None:
        """From now until its next start a service may be down."""
        self._cut.add(name)

    def check(self) -> None:
        """StageError if a service has ended that nobody cut."""
        for child in self._popen.values():
            child.poll()
        for name, one in self.services.items():
            if name not in self._cut and not one.alive():
                raise StageError(f"{name} has ended by itself. {self.last_lines(name)}")

    @property
    def struck(self) -> dict[str, float]:
        """When a service was last struck from another shell, in Unix seconds."""
        return self._running.struck

    @property
    def services(self) -> dict[str, Process]:
        """The services started, by name (killed ones too, until they are healed)."""
        return self._running.services

    def refresh(self) -> None:
        """Read what another shell changed (healed services have new pids) and reap our dead
        children.
        """
        for child in self._popen.values():
            child.poll()
        found = running.find() if self._pointed else None
        if found is not None and found.home == str(self.home):
            self._running = found

    def end(self, *, keep_home: bool = False) -> None:
        """Stop everything in order (nodes, then witness), then remove the folder unless it shall be
        kept.
        """
        self.refresh()
        for members in self._running.frozen.values():
            strokes.thaw(members)
        families = {name: running.family(one) for name, one in self.services.items()}
        for name in (*reversed(SERVICES), WIRES):
            if name in self.services:
                strokes.stop(self.services[name])
                self._await_end(families[name])
        running.forget(self.home)
        if not keep_home:
            shutil.rmtree(self.home, ignore_errors=True)

    def _await_end(self, members: Sequence[Process]) -> None:
        end = time.monotonic() + STOP_DEADLINE_S
        while any(one.alive() for one in members) and time.monotonic() < end:
            for child in self._popen.values():
                child.poll()
            time.sleep(0.02)
        for one in members:
            one.send(signal.SIGKILL)
        for child in self._popen.values():
            child.poll()

    def log(self, name: str) -> Path:
        """Where a service writes its log."""
        return self.home / "logs" / f"{name}.log"

    def last_lines(self, name: str) -> str:
        """The end of a service's log, for a person, with its path."""
        path = self.log(name)
        text = path.read_text(errors="replace") if path.exists() else ""
        lines = "\n".join(text.splitlines()[-LAST_LINES:])
        return f"The last lines of {path}:\n{lines}"

    def _keep(self, **changes: object) -> None:
        self._running = msgspec.structs.replace(self._running, **changes)
        running.keep(self._running, pointed=self._pointed)


def launch(home: Path, name: str) -> subprocess.Popen[bytes]:
    """Start a service of the demo at ``home``, in a session of its own, its log under logs/."""
    with (home / "logs" / f"{name}.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", *_words(home, name)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd=home,
            env=environment(),
        )


def _words(home: Path, name: str) -> list[str]:
    """The module that is this service, and what it is told."""
    if name == WIRES:
        return ["clients.demo.wires", str(home)]
    kind, settings = (
        ("witness", "witness.yaml") if name == "witness" else ("node", f"node-{name}.yaml")
    )
    return ["mpowerd", kind, "--settings", str(home / settings)]


def environment(home: Path | None = None) -> dict[str, str]:
    """Our environment for a child: the same Python finds the same packages and commands wherever
    its folder is; with a ``home``, MPOWER_* points at that cluster.
    """
    said = {name: value for name, value in os.environ.items() if not name.startswith("MPOWER_")}
    packages = [str(Path(__file__).parents[2]), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    said["PYTHONPATH"] = os.pathsep.join(one for one in packages if one)
    said["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    if home is not None:
        client = load_client(home, environment={})
        said |= {
            "MPOWER_HOME": str(home),
            "MPOWER_CLUSTER": client.cluster,
            "MPOWER_NODES": ",".join(client.nodes),
            "MPOWER_PEERS": ",".join(client.peers),
            "MPOWER_WITNESS": client.witness or "",
            "MPOWER_PASSWORD_FILE": str(home / "secrets" / "admin.password"),
        }
    return said


def mpower_at() -> str:
    """The command as it can be typed here: ``mpower`` if the shell finds it, else its path."""
    installed = Path(sys.executable).parent / "mpower"
    found = shutil.which("mpower")
    if (found is not None and Path(found) == installed) or not installed.exists():
        return "mpower"
    return os.path.relpath(installed)


def _myself() -> Process:
    found = running.process(os.getpid())
    assert found is not None
    return found
