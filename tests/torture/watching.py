"""The rig's eyes: ``mpower cluster status --watch`` over the network that is never cut.

``seen`` is the newest answer. Nothing here decides whether money is right: that is read from the
journals and the database.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from typing import Any

from tests.torture.board import Board


class Watch:
    """A status that runs beside the torture."""

    def __init__(self, board: Board) -> None:
        self.seen: dict[str, Any] = {}
        self.at_s = 0.0
        self._roles = {"primary": "a", "standby": "b"}
        with (board.logs / "watch.log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "clients", "--settings", str(board.settings)),
                    *("cluster", "status", "--watch", "--json"),
                ],
                env=board.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            seen = json.loads(line)
            self.seen, self.at_s = seen, time.time()
            record = seen.get("record")
            if record:
                primary = record["primary"]
                self._roles = {"primary": primary, "standby": "b" if primary == "a" else "a"}

    def who(self, role: str) -> str:
        """The host that has this role now: primary, standby, witness, office, branch."""
        return self._roles.get(role) or {"witness": "w", "office": "t", "branch": "s"}[role]

    def states(self) -> dict[str, str]:
        """The nodes' states as they say them; who does not answer is left out."""
        return {str(one["node"]): str(one["state"]) for one in self.seen.get("nodes", [])}

    def whole(self) -> bool:
        """Both nodes answer, in sync, open, with a witness that believes in itself."""
        fresh = time.time() - self.at_s < 3
        states = sorted(self.states().values())
        safe = bool(self.seen.get("open") and self.seen.get("safe_to_fail_over"))
        return fresh and safe and states == ["PRIMARY_SYNC", "STANDBY_SYNC"]

    def story(self) -> str:
        """What was seen last, for a person."""
        nodes = [
            f"{one['node']} {one['state']} ({one['reason']}) alarms {one['alarms']}"
            for one in self.seen.get("nodes", [])
        ]
        return f"{'; '.join(nodes) or 'nobody answers'}; record {self.seen.get('record')}"

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
