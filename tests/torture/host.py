"""One host: its network, its disk, its one service, and a supervisor that starts the service again
as systemd would.

Its processes are whoever runs in its network namespace: the rig started them or their parents, and
nobody else can be in there. Invariant: a host that a fault holds down is not started before that
fault lets it go; several faults may hold it at once. This file must not know what a fault is.
"""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from clients.demo.running import Process, process
from tests.torture import network
from tests.torture.disk import Disk
from tests.torture.system import RigError

RESTART_S: Final = 1.0
"""What a unit file says: Restart=always, RestartSec=1."""
GONE_S: Final = 20.0


class Host:
    """A host and its service. ``argv``: the service's command; its output goes to ``log``."""

    def __init__(
        self, name: str, disk: Disk, argv: list[str], environment: dict[str, str], log: Path
    ) -> None:
        self.name = name
        self.disk = disk
        self.argv = argv
        self.environment = environment
        self.log = log
        self.ended: list[tuple[float, int]] = []
        self._held = 0
        self._service: subprocess.Popen[bytes] | None = None
        self._start_at_s = 0.0
        self._struck = False

    # ------------------------------------------------------------------ the supervisor

    def start(self) -> None:
        """Start the service now."""
        with self.log.open("ab") as log:
            self._service = subprocess.Popen(
                network.inside(self.name, *self.argv),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=self.environment,
                cwd="/",
            )
        self._struck = False

    def tick(self) -> None:
        """Start the service again if it has ended and nobody holds it."""
        if self._service is not None and self._service.poll() is not None:
            if not self._struck:
                self.ended.append((time.time(), self._service.returncode))
            self._service = None
            self._start_at_s = time.monotonic() + RESTART_S
        if self._service is None and not self._held and time.monotonic() >= self._start_at_s:
            self.start()

    def hold(self) -> None:
        """Keep the service down once it has ended, until ``let_go``."""
        self._held += 1

    def let_go(self) -> None:
        """One fault less holds it; the last one lets the supervisor start it at once."""
        self._held -= 1
        if not self._held:
            self._start_at_s = time.monotonic()

    @property
    def held(self) -> bool:
        """Whether a fault keeps it down."""
        return self._held > 0

    # ------------------------------------------------------------------ its processes

    def members(self) -> list[Process]:
        """Everybody who runs on this host, the service's head first."""
        inode = Path("/run/netns", self.name).stat().st_ino
        found = [one for one in map(process, _in_network(inode)) if one is not None]
        head = self._service.pid if self._service is not None else 0
        return sorted(found, key=lambda one: (one.pid != head, one.pid))

    def daemon(self) -> list[Process]:
        """The service's own process; none if it is down."""
        found = process(self._service.pid) if self._service is not None else None
        return [found] if found is not None else []

    def called(self, *words: str) -> list[Process]:
        """The processes of the database that ``ps`` would show with one of these words."""
        return [one for one in self.members() if any(word in _title(one.pid) for word in words)]

    def postmaster(self) -> list[Process]:
        """The postmaster; none if it is down."""
        return [one for one in self.members() if _is_postmaster(one.pid)]

    def strike(self, number: signal.Signals, whom: Iterable[Process]) -> list[Process]:
        """Signal these; who was hit."""
        if number in {signal.SIGKILL, signal.SIGTERM}:
            self._struck = True
        return [one for one in whom if one.send(number)]

    def kill_all(self) -> None:
        """SIGKILL everybody, the stopped ones first; returns when all are gone."""
        everybody = self.members()
        self.strike(signal.SIGSTOP, everybody)
        self.strike(signal.SIGKILL, self.members())
        self.await_gone(self.members)

    def await_gone(self, who: Callable[[], list[Process]], limit_s: float = GONE_S) -> None:
        """Return when none of these lives any more; RigError if one stays."""
        end = time.monotonic() + limit_s
        while any(one.alive() for one in who()):
            if self._service is not None:
                self._service.poll()
            if time.monotonic() > end:
                raise RigError(f"Processes of {self.name} outlive SIGKILL by {limit_s:g} s.")
            time.sleep(0.02)

    def lose_power(self) -> None:
        """Everybody stops at once, what was not fsynced is gone, nobody says good-bye."""
        self.strike(signal.SIGSTOP, self.members())
        self.disk.lose_power()
        self.strike(signal.SIGKILL, self.members())

    def power_on(self) -> None:
        """Boot: the disk is checked and mounted; the supervisor may start the service."""
        self.kill_all()
        self.disk.mount_anew()


def _in_network(inode: int) -> Iterable[int]:
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if (entry / "ns" / "net").stat().st_ino == inode:
                yield int(entry.name)
        except OSError:
            continue


def _title(pid: int) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return ""
    return words.replace(b"\0", b" ").decode(errors="replace")


def _is_postmaster(pid: int) -> bool:
    words = _title(pid).split()
    return bool(words) and Path(words[0]).name == "postgres" and "-D" in words
