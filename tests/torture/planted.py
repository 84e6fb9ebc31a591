"""Bugs that the rig must catch, or it proves nothing: ``python -m tests.torture.planted NAME node
…`` is mpowerd with one of them in it.

``PLANT=fsync-off``   PostgreSQL says a commit is on disk when it is not; a blackout shows it
``PLANT=ack-alone``   a payment is answered though only one server has it; a lost primary shows it
"""

from __future__ import annotations

import sys
from typing import Final

from mpowerd.connections import Connection
from tests.torture.plan import Fault

PLANTED: Final = {
    "fsync-off": [Fault(1, "blackout", "all", 0.0, 1.0, 0)],
    "ack-alone": [
        Fault(1, "freeze-host", "standby", 0.0, 3.0, 0),
        Fault(2, "kill-host", "primary", 0.5, 6.0, 0),
    ],
}
"""The bug, and the round of faults that shows it, again and again."""


def plant(name: str) -> None:
    """Put the bug into the modules of the daemon that is about to run."""
    {"fsync-off": _fsync_off, "ack-alone": _ack_alone}[name]()


def _fsync_off() -> None:
    from cluster import fitness
    from cluster.postgres import files

    files._FIXED["fsync"] = "off"
    fitness.MUST_BE.pop("fsync")  # the house would refuse to count on such a copy


def _ack_alone() -> None:
    from mpowerd import database

    commit = database._commit

    async def committed(connection: Connection, name: str) -> None:
        await connection.execute("SET LOCAL synchronous_commit = local")
        await commit(connection, name)

    async def confirmed(*_: object) -> None:
        return

    setattr(database, "_commit", committed)  # noqa: B010 - the bug takes its place by name
    setattr(database, "confirm", confirmed)  # noqa: B010 - the same


if __name__ == "__main__":
    from mpowerd.__main__ import main

    plant(sys.argv.pop(1))
    main()
