"""The traffic process as the demo holds it: start it, read how far it is, ask it to end. Knows no
terminal.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from clients.demo.stage import Stage, StageError, environment

BOUNDS_MS: Final = (10, 30, 100, 300, 1000, 3000)
"""Between these the waits are counted."""
THINK_S: Final = 0.002
"""How long a terminal rests between payments: so little beside the answer's time that eight of them
never rest all at once, and a kill always finds payments in flight.
"""
END_S: Final = 60.0
"""The traffic waits up to 40 s for its last answers; beyond a minute it hangs."""


def under_way_at(home: Path) -> Path:
    """Where the traffic says, in one byte, how many payments are under way."""
    return home / "under-way"


def load_at(home: Path) -> Path:
    """Where a person says how many payments a second the counters shall post together."""
    return home / "load"


class Company:
    """Eight terminals and a bank at work, in a process of their own."""

    def __init__(self, stage: Stage, think_s: float = THINK_S) -> None:
        self._stage = stage
        self.latest: dict[str, Any] = {"acknowledged": 0, "bank_lines": 0, "waiting_ms": 0}
        self.receipts: list[tuple[str, int]] = []
        self.histogram = [0] * (len(BOUNDS_MS) + 1)
        self._longest_ms = 0.0
        with stage.log("traffic").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "clients.demo.traffic", str(stage.home)),
                    *(",".join(stage.busy), stage.bank, str(think_s)),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
                env=environment(stage.home),
            )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def acknowledged(self) -> int:
        """Payments acknowledged so far: counter payments and matched bank lines."""
        return int(self.latest["acknowledged"]) + int(self.latest["bank_lines"])

    def longest_ms(self) -> float:
        """The longest wait of a terminal since this was last asked, in ms."""
        longest, self._longest_ms = self._longest_ms, 0.0
        return longest

    def await_under_way(self, count: int, deadline_s: float) -> None:
        """Return at a moment when this many payments are under way; StageError at the deadline."""
        end = time.monotonic() + deadline_s
        with under_way_at(self._stage.home).open("rb", buffering=0) as said:
            while os.pread(said.fileno(), 1, 0) < bytes([count]):
                if time.monotonic() > end:
                    raise StageError(f"Never {count} payments under way within {deadline_s:g} s.")

    def check(self) -> None:
        """StageError if the terminals have ended by themselves."""
        if self._process.poll() is not None:
            raise StageError(f"The traffic ended early. {self._stage.last_lines('traffic')}")

    def await_more(self, count: int, deadline_s: float) -> None:
        """Wait until ``count`` more payments are acknowledged; StageError at the deadline."""
        goal, end = self.acknowledged + count, time.monotonic() + deadline_s
        while self.acknowledged < goal:
            self.check()
            if time.monotonic() > end:
                raise StageError(
                    f"No {count} more payments within {deadline_s:g} s: {self.latest}."
                    f" {self._stage.last_lines('traffic')}"
                )
            time.sleep(0.05)

    def end(self) -> bool:
        """Let every intent get its answer, then end; True if none was left open."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            code = self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self.dismiss()
            return False
        self._forget()
        return code == 0

    def dismiss(self) -> None:
        """End it without waiting for answers (after a failure)."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._forget()

    def _forget(self) -> None:
        """What it had still to say is read; the pipes are closed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._reader.join(5)
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.stdout.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.latest = json.loads(line)
            self.histogram = [
                one + more
                for one, more in zip(self.histogram, self.latest["histogram"], strict=True)
            ]
            self.receipts += [(number, int(paise)) for number, paise in self.latest["receipts"]]
            seen = (self.latest["longest_ms"], self.latest["waiting_ms"], self._longest_ms)
            self._longest_ms = max(one or 0.0 for one in seen)
