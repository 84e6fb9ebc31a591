"""The demo that is running: which processes it started, in a file, so that ``mpower demo kill``
finds them.

A process is named by its pid *and* its start time: a pid that the system has given to somebody else
is never signalled. A service's family is the daemon and everything below it (PostgreSQL and its
backends), found in /proc. This file must not know what the services are for.
"""

from __future__ import annotations

import json
import os
import signal
import tempfile
from pathlib import Path
from typing import Final

import msgspec

from config.files import PUBLIC, write_file

STATE_FILE: Final = "demo.json"


class Process(msgspec.Struct, frozen=True):
    """One process of ours: pid and start time in clock ticks since boot (field 22 of
    /proc/<pid>/stat).
    """

    pid: int
    started: int

    def alive(self) -> bool:
        """Say whether this very process still lives (a zombie does not)."""
        found = _stat(self.pid)
        return found is not None and found[0] == self.started and found[1] != "Z"

    def send(self, number: signal.Signals) -> bool:
        """Signal it if it still lives; say whether it did."""
        if not self.alive():
            return False
        try:
            os.kill(self.pid, number)
        except ProcessLookupError:
            return False
        return True


class Running(msgspec.Struct, frozen=True):
    """The state of one demo: its home folder, the process that owns it, its services by name."""

    home: str
    owner: Process
    services: dict[str, Process]
    frozen: dict[str, list[Process]] = {}
    struck: dict[str, float] = {}
    """When a service was last struck from a shell, in Unix seconds."""


def _stat(pid: int) -> tuple[int, str, int] | None:
    """Read start time, state letter and parent of a pid; None if there is no such process."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return int(fields[19]), fields[0], int(fields[1])


def process(pid: int) -> Process | None:
    """Name the process that has this pid now."""
    found = _stat(pid)
    return None if found is None else Process(pid, found[0])


def family(head: Process) -> list[Process]:
    """List a process and all its descendants, the head first; empty if the head is gone."""
    if not head.alive():
        return []
    children: dict[int, list[Process]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (found := _stat(int(entry.name))) is not None:
            children.setdefault(found[2], []).append(Process(int(entry.name), found[0]))
    members, fresh = [head], [head]
    while fresh:
        fresh = [child for parent in fresh for child in children.get(parent.pid, [])]
        members += fresh
    return members


def pointer() -> Path:
    """Where the newest demo of this user is named, so that a second shell finds it."""
    return Path(tempfile.gettempdir()) / f"mpower-demo-of-{os.getuid()}.json"


def keep(running: Running, *, pointed: bool = True) -> None:
    """Write the state file of a demo; ``pointed``: it is the one that a second shell means."""
    content = msgspec.json.encode(running)
    write_file(Path(running.home) / STATE_FILE, content, PUBLIC)
    if pointed:
        write_file(pointer(), json.dumps({"home": running.home}).encode(), PUBLIC)


def find(*, living: bool = True) -> Running | None:
    """Find the newest demo; None if there is none or, if it must be ``living``, its owner is
    gone.
    """
    try:
        home = Path(json.loads(pointer().read_text())["home"])
        if pointer().stat().st_uid != os.getuid():
            return None
        found = at(home)
    except (OSError, ValueError, KeyError, msgspec.MsgspecError):
        return None
    return found if found.owner.alive() or not living else None


def at(home: Path) -> Running:
    """Read the demo at this home; OSError if there is none."""
    return msgspec.json.decode((home / STATE_FILE).read_bytes(), type=Running)


def leftovers(found: Running) -> list[Process]:
    """Everything that still lives of a demo's services."""
    heads = [one for one in found.services.values() if one.alive()]
    return [member for head in heads for member in family(head)]


def forget(home: Path) -> None:
    """Remove the pointer if it points to this home."""
    try:
        if json.loads(pointer().read_text()).get("home") == str(home):
            pointer().unlink()
    except (OSError, ValueError):
        return
