"""Ours as a system under test: witness, two nodes, counters with the people's own link and journal.

Settings are those ``mpower init`` writes for real servers, timers included. This file must not know
what is measured.
"""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

from msgspec import structs

from bench.board import seed
from bench.counters import Counters, working
from bench.failover.ground import Ground
from bench.failover.system import SERVERS, NotThereError
from bench.pair import Pair, PairError, family
from clients.ops.init import server_plan
from config.settings import TimersSettings

CONSUMERS: Final = 5_000


class Ours:
    """A running pair."""

    name = "mpower"

    def __init__(
        self, ground: Ground, home: Path, writers: int, timers: TimersSettings | None = None
    ) -> None:
        self._ground, self._writers = ground, writers
        a, b = ((node, [ground.address(node)]) for node in SERVERS)
        plan = server_plan(
            home / "board",
            "bench",
            nodes=(a, b),
            witness=ground.address("w"),
            counters=writers,
            banks=(),
        )
        often = structs.replace(timers or plan.timers, takeovers_per_hour=1000)  # killed each round
        self.pair = Pair(home, structs.replace(plan, timers=often), ground.enter)
        try:
            self.pair.bootstrap()
            seed(self.pair.conninfo("a"), CONSUMERS, writers)
        except BaseException:
            self.close()
            raise

    def settled(self) -> str:
        """Wait for a primary whose payments the other node holds."""
        try:
            return self.pair.wait_in_sync()
        except PairError as late:
            raise NotThereError(str(late)) from late

    def postmaster(self, node: str) -> int:
        """Give the pid of a node's PostgreSQL."""
        return self.pair.postmaster(node)

    def daemons(self, node: str) -> list[int]:
        """mpowerd, without its PostgreSQL."""
        database = family(self.pair.postmaster(node))
        return [pid for pid in self.pair.family(node) if pid not in database]

    def revive(self, node: str) -> None:
        """Start a killed daemon again."""
        self.pair.reap(node)
        self.pair.start(node)

    def hand_over(self, primary: str) -> None:
        """Switch over as an operator does."""
        del primary
        said = self.pair.mpower("cluster", "switchover")
        if said.returncode:
            raise NotThereError((said.stderr or said.stdout).strip())

    def writers(self) -> AbstractContextManager[Counters]:
        """Counters on ``t``."""
        home = str(self.pair.paths.home)
        module = [sys.executable, "-m", "bench.steady", home, str(self._writers), str(CONSUMERS)]
        return working([*self._ground.enter("t"), *module])

    def close(self) -> None:
        """End everything."""
        self.pair.close()
