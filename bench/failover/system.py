"""What a strike needs of a system under test, and what the systems share: daemons of their own on
their hosts, ended by their pids.

A system is one pair of servers ``a`` and ``b``, with whatever decides on ``w``. Only processes
started here and their descendants are signalled. This file must not know any system, nor what is
measured.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from signal import SIGCONT, SIGKILL
from typing import Final, Protocol

import psycopg
from psycopg.conninfo import make_conninfo

from bench.counters import Counters
from bench.failover.ground import Ground
from bench.pair import STOP_S, family, send

LOOK_S: Final = 0.5
RETURN_S: Final = 150.0
"""Until both copies are in sync again after a strike; a copy made anew included."""
TAIL: Final = 3000
SERVERS: Final = ("a", "b")


class NotThereError(Exception):
    """A system that cannot be had, or did not do what was waited for; str() is the reason."""


class System(Protocol):
    """A pair as the strikes see it."""

    name: str

    def settled(self) -> str:
        """Wait until both copies are in sync; the primary's name. NotThereError after RETURN_S."""

    def postmaster(self, node: str) -> int:
        """Give the pid of a node's PostgreSQL."""

    def daemons(self, node: str) -> list[int]:
        """List the processes that supervise it: everything of the node but its PostgreSQL."""

    def revive(self, node: str) -> None:
        """Start a node's killed daemon again, as a supervisor of the system would."""

    def hand_over(self, primary: str) -> None:
        """Order a switchover, with the system's own command."""

    def writers(self) -> AbstractContextManager[Counters]:
        """Writers that work until the context ends."""

    def close(self) -> None:
        """End everything."""


class Daemons:
    """The processes of one system, by name; each has a log in the home folder."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, command: Sequence[str], env: Mapping[str, str]) -> None:
        """Start one."""
        with (self._home / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=env,
                cwd=self._home,
                start_new_session=True,
            )

    def pid(self, name: str) -> int:
        """Give the pid of one."""
        return self._running[name].pid

    def ended(self) -> str:
        """Name one that is not there any more, or ''."""
        return next((name for name, one in self._running.items() if one.poll() is not None), "")

    def reap(self, name: str) -> None:
        """Wait for one that was killed."""
        self._running[name].wait(STOP_S)

    def end(self, postmasters: Sequence[int] = ()) -> None:
        """End all, the last started first; what does not end in time is killed."""
        for process in reversed(self._running.values()):
            members = family(process.pid) if process.poll() is None else []
            send(members, SIGCONT)
            process.terminate()
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                send(members, SIGKILL)
                process.wait(STOP_S)
        for pid in postmasters:
            send(family(pid), SIGKILL)

    def story(self, text: str) -> str:
        """Add the ends of the logs."""
        logs = [
            f"--- {path.name}\n{path.read_text(errors='replace')[-TAIL:]}"
            for path in sorted(self._home.glob("*.log"))
        ]
        return "\n".join([text, *logs])


def postmaster_of(data: Path) -> int | None:
    """Give the pid of the PostgreSQL that works in that folder; None if none does."""
    try:
        pid = int((data / "postmaster.pid").read_text().split()[0])
        at_home = Path(f"/proc/{pid}/cwd").resolve() == data.resolve()
    except (OSError, ValueError, IndexError):
        return None
    return pid if at_home else None


def ordered(command: Sequence[str], env: Mapping[str, str], limit_s: float, at: str = "/") -> str:
    """Run a command to its end; what it said. NotThereError if it fails or takes too long."""
    try:
        said = subprocess.run(
            command, env=env, cwd=at, capture_output=True, text=True, timeout=limit_s, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as wrong:
        raise NotThereError(f"{command[-1]}: {wrong}") from wrong
    if said.returncode:
        words = (said.stderr.strip() or said.stdout.strip())[-TAIL:]
        raise NotThereError(f"'{' '.join(command)}' failed: {words}")
    return said.stdout


def until_settled(look: Callable[[], str | None], daemons: Daemons, name: str) -> str:
    """Look until it names the primary of a pair in sync."""
    give_up_s = time.monotonic() + RETURN_S
    while time.monotonic() < give_up_s:
        primary = look()
        if primary is not None:
            return primary
        ended = daemons.ended()
        if ended:
            raise NotThereError(daemons.story(f"{name}: {ended} ended"))
        time.sleep(LOOK_S)
    raise NotThereError(daemons.story(f"{name}: the two copies are not in sync in {RETURN_S:g} s"))


def create_table(socket_folder: Path, port: int) -> None:
    """Make the writers' table, over the server's own socket."""
    where = make_conninfo(
        "", host=str(socket_folder), port=port, user="postgres", dbname="postgres"
    )
    with psycopg.connect(where, autocommit=True) as connection:
        connection.execute("CREATE TABLE written (n bigserial PRIMARY KEY, writer int)")


def writer_command(ground: Ground, writers: int, servers: Sequence[str]) -> list[str]:
    """Say how the writers of a peer are started on ``t``."""
    module = [sys.executable, "-m", "bench.failover.writer", str(writers), *servers]
    return [*ground.enter("t"), *module]
