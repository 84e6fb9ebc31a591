"""Runs one of the operator's programs to its end, or to its deadline: blocking, in a thread.

No shell, no argument, an environment of only what is given, a process group of its own. Invariants:
at the deadline the whole group is killed, and when the program ends what it left behind of its
group ends with it; only the last words of its output are kept, however much it writes. It must not
know why the program is run.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from msgspec import Struct

KEPT_BYTES: Final = 2000
"""The end of an output says what went wrong; a page of it fits a line of the log."""
CHUNK_BYTES: Final = 65536


class Ended(Struct, frozen=True):
    """How it ended: ``code`` (negative: a signal; None: it could not be started), whether at its
    deadline, after how long, and its last words.
    """

    code: int | None
    late: bool
    took_s: float
    said: str

    @property
    def good(self) -> bool:
        """It did what it should."""
        return self.code == 0 and not self.late


class Program:
    """One run. ``kill`` may be called from another thread."""

    def __init__(self, path: str, environment: Mapping[str, str], deadline_s: float) -> None:
        self._path, self._environment, self._deadline_s = path, environment, deadline_s
        self._child: subprocess.Popen[bytes] | None = None
        self._given_up = threading.Event()

    def run(self) -> Ended:
        """Run it; never raises for what the program does."""
        began_s = time.monotonic()
        if self._given_up.is_set():
            return Ended(None, late=False, took_s=0.0, said="this node stops")
        try:
            child = self._child = self._start()
        except OSError as wrong:
            return Ended(None, late=False, took_s=0.0, said=str(wrong.strerror))
        if self._given_up.is_set():
            self.kill()
        said, late = _watched(child, began_s + self._deadline_s)
        _kill_group(child)
        code = child.wait()
        text = said.decode("utf-8", "replace")
        clean = "".join(one if one.isprintable() else " " for one in text).strip()
        return Ended(code, late, time.monotonic() - began_s, clean)

    def kill(self) -> None:
        """End it now, with all it started."""
        self._given_up.set()
        if self._child is not None and self._child.returncode is None:
            _kill_group(self._child)

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [self._path],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=Path("/"),
            env=dict(self._environment),
            start_new_session=True,
        )


def _watched(child: subprocess.Popen[bytes], until_s: float) -> tuple[bytes, bool]:
    """Read what it says until it ends or its time is over; its last words, and whether it was late.

    Its end is a descriptor of the process, not of its output: what it left running may hold that.
    """
    assert child.stdout is not None
    output, end = child.stdout.fileno(), os.pidfd_open(child.pid)
    said, reading = b"", [output, end]
    try:
        while True:
            left_s = until_s - time.monotonic()
            if left_s <= 0:
                return said, True
            ready, _, _ = select.select(reading, [], [], left_s)
            if output in ready:
                chunk = os.read(output, CHUNK_BYTES)
                said = (said + chunk)[-KEPT_BYTES:]
                if not chunk:
                    reading.remove(output)
            elif end in ready:
                return said, False
    finally:
        os.close(end)
        child.stdout.close()


def _kill_group(child: subprocess.Popen[bytes]) -> None:
    """SIGKILL to its group. It is not reaped yet, so the group's number is nobody else's."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
