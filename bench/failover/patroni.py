"""Patroni as a system under test: synchronous_mode on, everything else at its defaults (ttl 30 s,
loop_wait 10 s, retry_timeout 10 s).

One etcd member on ``w``. pg_rewind is allowed, as in Patroni's own sample settings: it matters only
to how a struck server comes back. This file must not know what is measured.
"""

from __future__ import annotations

import json
import os
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
from bench.pair import family

POSTGRES, REST, ETCD, ETCD_PEER = 7610, 7611, 7612, 7613
COMMAND_S: Final = 60.0


class Patroni:
    """A running pair."""

    name = "patroni"

    def __init__(self, ground: Ground, home: Path, writers: int) -> None:
        self._ground, self._home, self._writers = ground, home, writers
        self._bin, self._postgres = install.patroni(), install.postgres_bin()
        self._daemons = Daemons(home)
        self._env = {
            "PATH": f"{self._bin}:{self._postgres}:{os.environ['PATH']}",
            "LC_ALL": "C.UTF-8",
        }
        try:
            self._begin()
        except BaseException:
            self.close()
            raise

    def _begin(self) -> None:
        give(self._home)
        here = f"http://{self._ground.address('w')}"
        command = [
            str(install.etcd()), "--name", "w", "--data-dir", str(self._home / "etcd"),
            "--listen-client-urls", f"{here}:{ETCD}", "--advertise-client-urls", f"{here}:{ETCD}",
            "--listen-peer-urls", f"{here}:{ETCD_PEER}",
            "--initial-advertise-peer-urls", f"{here}:{ETCD_PEER}",
            "--initial-cluster", f"w={here}:{ETCD_PEER}",
        ]  # fmt: skip
        self._daemons.start("etcd", [*self._ground.enter("w"), *as_postgres(), *command], self._env)
        for node in SERVERS:
            (self._home / f"{node}.yaml").write_text(json.dumps(self._settings(node)))
            self.revive(node)
        primary = self.settled()
        create_table(self._home / f"run-{primary}", POSTGRES)

    def _settings(self, node: str) -> dict[str, Any]:
        """JSON is YAML."""
        address = self._ground.address(node)
        run = self._home / f"run-{node}"
        run.mkdir()
        give(run)
        people = {
            "superuser": {"username": "postgres", "password": "bench"},
            "replication": {"username": "replicator", "password": "bench"},
            "rewind": {"username": "rewinder", "password": "bench"},
        }
        return {
            "scope": "bench",
            "name": node,
            "restapi": {"listen": f"{address}:{REST}", "connect_address": f"{address}:{REST}"},
            "etcd3": {"host": f"{self._ground.address('w')}:{ETCD}"},
            "bootstrap": {
                "dcs": {"synchronous_mode": True, "postgresql": {"use_pg_rewind": True}},
                "initdb": [{"encoding": "UTF8"}, "data-checksums"],
            },
            "postgresql": {
                "listen": f"{address}:{POSTGRES}",
                "connect_address": f"{address}:{POSTGRES}",
                "data_dir": str(self._home / node),
                "pgpass": str(run / "pgpass"),
                "bin_dir": str(self._postgres),
                "authentication": people,
                "parameters": {"unix_socket_directories": str(run)},
                "pg_hba": [
                    "local all all trust",
                    f"host all all {self._ground.network}.0/24 trust",
                    f"host replication all {self._ground.network}.0/24 trust",
                ],
            },
        }

    def revive(self, node: str) -> None:
        """Start a Patroni."""
        command = [str(self._bin / "patroni"), str(self._home / f"{node}.yaml")]
        self._daemons.start(node, [*self._ground.enter(node), *as_postgres(), *command], self._env)

    def settled(self) -> str:
        """Wait for a leader with a running synchronous standby."""
        return until_settled(self._look, self._daemons, self.name)

    def _look(self) -> str | None:
        try:
            members = json.loads(self._ctl("list", "--format", "json"))
        except NotThereError:
            return None
        return leader(members)

    def _ctl(self, *words: str) -> str:
        command = [str(self._bin / "patronictl"), "-c", str(self._home / "a.yaml"), *words]
        return ordered([*self._ground.enter("t"), *as_postgres(), *command], self._env, COMMAND_S)

    def postmaster(self, node: str) -> int:
        """Give the pid of a node's PostgreSQL."""
        pid = postmaster_of(self._home / node)
        if pid is None:
            raise NotThereError(f"no PostgreSQL runs on {node}")
        return pid

    def daemons(self, node: str) -> list[int]:
        """Patroni, without the PostgreSQL it started."""
        database = family(self.postmaster(node))
        return [pid for pid in family(self._daemons.pid(node)) if pid not in database]

    def hand_over(self, primary: str) -> None:
        """Switch over as an operator does."""
        self._ctl("switchover", "--leader", primary, "--force", "bench")

    def writers(self) -> AbstractContextManager[Counters]:
        """Writers on ``t``."""
        servers = [f"{self._ground.address(node)}:{POSTGRES}" for node in SERVERS]
        return working(writer_command(self._ground, self._writers, servers))

    def close(self) -> None:
        """End everything."""
        databases = [postmaster_of(self._home / node) for node in SERVERS]
        self._daemons.end([pid for pid in databases if pid is not None])


def leader(members: list[dict[str, Any]]) -> str | None:
    """Read patronictl's list: the leader's name, if a synchronous standby streams from it."""
    roles = {str(one["Role"]): one for one in members}
    first, second = roles.get("Leader"), roles.get("Sync Standby")
    well = first and second and first["State"] == "running" and second["State"] == "streaming"
    return str(first["Member"]) if first and well else None
