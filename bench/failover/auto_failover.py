"""pg_auto_failover as a system under test: a monitor on ``w``, two data nodes, everything at its
defaults (synchronous replication with a fall-back to one copy, as ours).

Trust and no TLS, as its own tutorial has it: it can only be quicker for it. This file must not know
what is measured.
"""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final

from bench.counters import Counters, working
from bench.failover import install
from bench.failover.ground import Ground, as_postgres, give
from bench.failover.system import (
    SERVERS,
    Daemons,
    NotThereError,
    create_table,
    ordered,
    postmaster_of,
    until_settled,
    writer_command,
)
from bench.failover.versions import POSTGRES_MAJOR
from bench.pair import family

MONITOR, POSTGRES = 7620, 7621
COMMAND_S: Final = 90.0


class AutoFailover:
    """A running pair."""

    name = "pg_auto_failover"

    def __init__(self, ground: Ground, home: Path, writers: int) -> None:
        self._ground, self._home, self._writers = ground, home, writers
        self._usr = install.pg_auto_failover()
        self._daemons = Daemons(home)
        try:
            self._begin()
        except BaseException:
            self.close()
            raise

    def _begin(self) -> None:
        give(self._home)
        for host in ("w", *SERVERS):
            for folder in (self._home / f"xdg-{host}", self._home / f"run-{host}"):
                folder.mkdir()
                give(folder)
        monitor = ["--pgport", str(MONITOR), "--hostname", self._ground.address("w")]
        self._autoctl("w", "create", "monitor", *monitor, *self._trust())
        self.revive("w")
        for node in SERVERS:
            place = ["--pgport", str(POSTGRES), "--hostname", self._ground.address(node)]
            more = ["--name", node, "--monitor", self._monitor, "--username", "postgres"]
            self._autoctl(node, "create", "postgres", *place, *more, *self._trust())
            with (self._home / node / "pg_hba.conf").open("a") as rules:
                rules.write(f"host all all {self._ground.network}.0/24 trust\n")
            self.revive(node)
        primary = self.settled()
        create_table(self._home / f"run-{primary}", POSTGRES)

    @property
    def _monitor(self) -> str:
        where = f"{self._ground.address('w')}:{MONITOR}"
        return f"postgres://autoctl_node@{where}/pg_auto_failover?sslmode=prefer"

    def _trust(self) -> list[str]:
        return ["--auth", "trust", "--no-ssl"]

    def _env(self, host: str) -> dict[str, str]:
        """Give each host a home of its own, and the one PostgreSQL that has the extension."""
        bindir = self._usr / "lib/postgresql" / str(POSTGRES_MAJOR) / "bin"
        keys = ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR", "HOME")
        return {
            "PATH": f"{bindir}:{self._usr}/bin:/usr/bin:/bin:/usr/sbin:/sbin",
            "PG_CONFIG": str(bindir / "pg_config"),
            "LC_ALL": "C.UTF-8",
            **dict.fromkeys(("PG_REGRESS_SOCK_DIR", "PGHOST"), str(self._home / f"run-{host}")),
            **dict.fromkeys(keys, str(self._home / f"xdg-{host}")),
        }

    def _autoctl(self, host: str, *words: str) -> str:
        data = ["--pgdata", str(self._home / host)]
        command = [str(self._usr / "bin" / "pg_autoctl"), *words, *data]
        return ordered(
            [*self._ground.enter(host), *as_postgres(), *command], self._env(host), COMMAND_S
        )

    def revive(self, node: str) -> None:
        """Start a pg_autoctl."""
        command = [str(self._usr / "bin" / "pg_autoctl"), "run", "--pgdata", str(self._home / node)]
        full = [*self._ground.enter(node), *as_postgres(), *command]
        self._daemons.start(node, full, self._env(node))

    def settled(self) -> str:
        """Wait for a primary with a secondary, both where the monitor wants them."""
        return until_settled(self._look, self._daemons, self.name)

    def _look(self) -> str | None:
        try:
            return primary_of(json.loads(self._autoctl("w", "show", "state", "--json")))
        except (NotThereError, ValueError):
            return None

    def postmaster(self, node: str) -> int:
        """Give the pid of a node's PostgreSQL."""
        pid = postmaster_of(self._home / node)
        if pid is None:
            raise NotThereError(f"no PostgreSQL runs on {node}")
        return pid

    def daemons(self, node: str) -> list[int]:
        """pg_autoctl and its own two, without the PostgreSQL they started."""
        database = family(self.postmaster(node))
        return [pid for pid in family(self._daemons.pid(node)) if pid not in database]

    def hand_over(self, primary: str) -> None:
        """Switch over as an operator does."""
        del primary
        self._autoctl("w", "perform", "switchover")

    def writers(self) -> AbstractContextManager[Counters]:
        """Writers on ``t``."""
        servers = [f"{self._ground.address(node)}:{POSTGRES}" for node in SERVERS]
        return working(writer_command(self._ground, self._writers, servers))

    def close(self) -> None:
        """End everything."""
        databases = [postmaster_of(self._home / host) for host in ("w", *SERVERS)]
        self._daemons.end([pid for pid in databases if pid is not None])


def primary_of(nodes: list[dict[str, Any]]) -> str | None:
    """Read the monitor's state: the primary's name, if its secondary is one and both are where the
    monitor wants them.
    """
    reached = {
        str(one["current_group_state"]): one
        for one in nodes
        if one["current_group_state"] == one["assigned_group_state"]
    }
    if set(reached) != {"primary", "secondary"}:
        return None
    return str(reached["primary"]["nodename"])
