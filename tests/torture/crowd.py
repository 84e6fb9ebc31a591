"""The terminals' processes as the rig holds them: start, kill, start again, ask to end.

Invariant: their journals are never touched by the rig, only read at the end.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from typing import Any, Final

from tests.torture import network
from tests.torture.board import BANK, BRANCH, OFFICE, OFFICER, Board
from tests.torture.system import RigError

SEATS: Final = {
    "t": (*(f"counter:{one}" for one in OFFICE), f"officer:{OFFICER}", f"bank:{BANK}"),
    "s": tuple(f"counter:{one}" for one in BRANCH),
}
END_S: Final = 150.0
"""The traffic itself waits two minutes for its last answers."""


class Crowd:
    """The terminals of both offices."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._processes: dict[str, subprocess.Popen[str]] = {}
        self.said: dict[str, dict[str, Any]] = {}
        self._ending = False

    def start(self, host: str) -> None:
        """Start the terminals of an office."""
        with (self._board.logs / f"traffic-{host}.log").open("ab") as log:
            process = subprocess.Popen(
                network.inside(
                    host,
                    *(sys.executable, "-m", "tests.torture.traffic"),
                    *(str(self._board.settings), *SEATS[host]),
                ),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
                env=self._board.environment,
            )
        self._processes[host] = process
        threading.Thread(target=self._read, args=(host, process), daemon=True).start()

    def _read(self, host: str, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            if self._processes.get(host) is process:
                self.said[host] = json.loads(line)

    def kill(self, host: str) -> None:
        """SIGKILL the terminals of an office."""
        self._processes[host].kill()
        self._processes[host].wait()
        self.said.pop(host, None)

    def check(self) -> None:
        """RigError if terminals have ended by themselves."""
        for host, process in self._processes.items():
            if not self._ending and process.poll() not in {None, -9}:
                log = self._board.logs / f"traffic-{host}.log"
                raise RigError(f"The terminals of {host} ended ({process.returncode}); see {log}.")

    def answered(self) -> dict[str, int]:
        """How many answers each terminal has had since its start."""
        return {name: n for said in self.said.values() for name, n in said["answered"].items()}

    def end(self) -> None:
        """Ask them to take nothing new, and to end when everything has its answer."""
        self._ending = True
        for process in self._processes.values():
            assert process.stdin is not None
            process.stdin.close()

    def ended(self) -> bool:
        """Whether all have ended."""
        return all(process.poll() is not None for process in self._processes.values())

    def answered_all(self) -> bool:
        """Whether all have ended with nothing left open."""
        return [process.poll() for process in self._processes.values()] == [0] * len(SEATS)

    def dismiss(self) -> None:
        """End them without waiting."""
        for process in self._processes.values():
            process.kill()
            process.wait()
