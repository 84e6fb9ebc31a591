"""From an empty folder to an open counter: start the services, make the cluster, furnish the board,
wait for two copies.

Each step ends with a done line and is bounded; a step that does not end says which service to look
at, with the last lines of its log. This file must not know what comes after the opening.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from clients.demo import board
from clients.demo.commands import mpower, status
from clients.demo.stage import SERVICES, Stage, StageError, environment

READY_S = 60.0
"""A service that does not answer in a minute does not start at all."""
IN_SYNC_S = 120.0
"""Cloning the demo's database takes a few seconds; a slow disk some tens."""
FURNISHED_S = 240.0
"""People, masters and consumers take ten seconds; on a machine with much else to do, minutes."""


def open_board(stage: Stage, told: board.Told) -> None:
    """Bring everything up; StageError with a sentence if something does not come."""
    for name in stage.names:
        stage.start(name)
    wait(stage, "the witness and both nodes answer", _all_answer, READY_S)
    told("witness and two nodes are up")
    word = stage.home / "secrets" / "admin.password"
    word.write_text(board.PASSWORD + "\n")
    mpower(
        stage.home,
        "cluster",
        "bootstrap",
        "--admin",
        board.ADMIN,
        "--password-file",
        str(word),
        "--node",
        "a",
    )
    told("the cluster is made; node a is the primary")
    _furnish(stage, told)
    wait(stage, "the standby is in sync", in_sync, IN_SYNC_S)
    told("node b holds the second copy, in sync")


def wait(
    stage: Stage,
    what: str,
    reached: Callable[[dict[str, Any]], bool],
    deadline_s: float,
) -> dict[str, Any]:
    """Ask for the status until it is as wanted; the status then. StageError at the deadline."""
    end = time.monotonic() + deadline_s
    while True:
        stage.check()
        seen = status(stage.home)
        if reached(seen):
            return seen
        if time.monotonic() > end:
            nodes = [f"{one['node']} {one['state']} ({one['reason']})" for one in seen["nodes"]]
            logs = "\n".join(stage.last_lines(name) for name in SERVICES)
            raise StageError(
                f"Waited {deadline_s:g} s in vain until {what}."
                f" Seen: {'; '.join(nodes) or 'nobody'}. {seen.get('because', '')}\n{logs}"
            )
        time.sleep(0.1)


def in_sync(seen: dict[str, Any]) -> bool:
    """Two copies: open, and the record names the one who acknowledges."""
    return bool(seen["open"] and seen["safe_to_fail_over"] and seen["copies"] == 2)


def _all_answer(seen: dict[str, Any]) -> bool:
    return len(seen["nodes"]) == 2 and seen["witness"] is not None


def _furnish(stage: Stage, told: board.Told) -> None:
    """In a process of its own: Twisted's reactor runs once in a process, and ours goes on."""
    words = ["-m", "clients.demo.furnishing", str(stage.home), stage.bank, *stage.counters]
    try:
        done = subprocess.run(
            [sys.executable, *words],
            capture_output=True,
            text=True,
            timeout=FURNISHED_S,
            check=False,
            env=environment(stage.home),
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        raise StageError(
            f"Waited {FURNISHED_S:g} s in vain until the board was furnished: the machine is very"
            " slow, or busy with something else. Try again when it is idle."
        ) from None
    for line in done.stdout.splitlines():
        told(line)
    if done.returncode != 0:
        raise StageError(f"The board could not be furnished: {done.stderr.strip()}")
