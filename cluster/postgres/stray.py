"""Finds and stops a PostgreSQL that a killed daemon left serving our data folder (fact F18).

A pid alone proves nothing (pids are used again), nor does a path (another container may have its
own folder of the same name): a process counts as ours only when its working folder is our data
folder, as every PostgreSQL process' is, and it is not a zombie. Signals go to nothing else.
"""

import os
import signal
import time
from pathlib import Path
from typing import Final

STRAY_GRACE_S: Final = 2.0
_KILL_WAIT_S: Final = 5.0
_LOOK_AGAIN_S: Final = 0.02
_PROC: Final = Path("/proc")


def processes_of(pgdata: Path) -> list[int]:
    """The pids of all live PostgreSQL processes that work in this data folder."""
    try:
        home = pgdata.stat()
    except FileNotFoundError:
        return []
    return [
        int(entry.name)
        for entry in _PROC.iterdir()
        if entry.name.isdigit() and _is_ours(entry, home)
    ]


def recorded_pid(pgdata: Path) -> int | None:
    """The postmaster's pid as postmaster.pid has it, whether alive or not."""
    try:
        return int((pgdata / "postmaster.pid").read_text("utf-8", "replace").split("\n", 1)[0])
    except (OSError, ValueError):
        return None


def stop_stray(pgdata: Path) -> int:
    """Stops whatever still runs on this data folder and clears stale locks; how many were found.

    Blocks for up to some seconds. First the immediate stop (nothing a stray writes may be kept
    waiting for), after the grace SIGKILL. TimeoutError when a process outlives even that (a hung
    disk).
    """
    found = processes_of(pgdata)
    if found:
        recorded = recorded_pid(pgdata)
        _send([recorded] if recorded in found else found, signal.SIGQUIT)
        if not _wait_gone(pgdata, STRAY_GRACE_S):
            kill_all(pgdata)
    (pgdata / "postmaster.pid").unlink(missing_ok=True)
    return len(found)


def clear_locks(pgdata: Path, socket_dir: Path) -> None:
    """Removes the lock files of a server that is dead; only for who knows that none lives here.

    PostgreSQL itself takes a lock's pid for alive when a signal could reach it: a zombie that
    nobody reaps (a container without an init) or a pid used again would block every start.
    """
    for lock in (pgdata / "postmaster.pid", *socket_dir.glob(".s.PGSQL.*")):
        lock.unlink(missing_ok=True)


def kill_all(pgdata: Path) -> None:
    """SIGKILL for every process of this data folder, until none is left."""
    give_up = time.monotonic() + _KILL_WAIT_S
    while left := processes_of(pgdata):
        if time.monotonic() > give_up:
            message = f"PostgreSQL processes {left} survive SIGKILL: the disk does not answer."
            raise TimeoutError(message)
        _send(left, signal.SIGKILL)
        time.sleep(_LOOK_AGAIN_S)


def _wait_gone(pgdata: Path, limit_s: float) -> bool:
    give_up = time.monotonic() + limit_s
    while processes_of(pgdata):
        if time.monotonic() > give_up:
            return False
        time.sleep(_LOOK_AGAIN_S)
    return True


def _send(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


def _is_ours(entry: Path, home: os.stat_result) -> bool:
    try:
        command = (entry / "comm").read_text("utf-8", "replace").strip()
        # Nobody else's folder is looked at: it may be on a disk that does not answer.
        if not command.startswith("postgres"):
            return False
        status = (entry / "stat").read_text("utf-8", "replace")
        # The state follows the name's closing parenthesis; the name itself may hold anything.
        alive = status.rpartition(")")[2].split()[0] not in {"Z", "X"}
        return alive and os.path.samestat((entry / "cwd").stat(), home)
    except OSError:
        return False
