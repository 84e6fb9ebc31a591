"""The kinds of fault: what may happen, to whom, for how long. Pure.

``whom`` is drawn when the round is planned and resolved when the fault begins: "primary" is who is
primary then. A link is ``network:from>to`` for one way, ``network:one-other`` for both. This file
must not know how a fault is done (``strokes``).
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

NODES: Final = ("primary", "primary", "standby")
"""The primary is hit twice as often: there the money is."""
ONE_WAY: Final = (
    *("town:primary>standby", "town:standby>primary", "town:primary>witness"),
    *("town:witness>primary", "town:standby>witness", "town:witness>standby"),
    *("cross:primary>standby", "cross:standby>primary", "town:primary>office"),
    "town:office>primary",
)
BOTH_WAYS: Final = (
    *("town:primary-standby", "town:primary-witness", "town:standby-witness"),
    *("cross:primary-standby", "town:primary-office", "town:standby-office"),
)


class Kind(Struct, frozen=True):
    """One kind of fault; it lasts between ``shortest_s`` and ``longest_s``."""

    name: str
    about: str
    whom: tuple[str, ...]
    shortest_s: float
    longest_s: float


KINDS: Final = (
    Kind("kill-daemon", "SIGKILL of mpowerd; its PostgreSQL goes on", NODES, 0.2, 5),
    Kind("kill-postmaster", "SIGKILL of the postmaster", NODES, 0.1, 0.2),
    Kind("kill-backend", "SIGKILL of one process of PostgreSQL", NODES, 0.1, 0.2),
    Kind("kill-host", "SIGKILL of everything on a node", NODES, 0.5, 8),
    Kind("stop-service", "SIGTERM of mpowerd, as before an upgrade", NODES, 1, 6),
    Kind("restart-storm", "mpowerd killed again and again as it comes up", NODES, 4, 9),
    Kind("freeze-daemon", "SIGSTOP of mpowerd", NODES, 0.5, 9),
    Kind("freeze-process", "SIGSTOP of one process of PostgreSQL", NODES, 0.5, 9),
    Kind("freeze-host", "SIGSTOP of everything on a node", NODES, 0.5, 12),
    Kind("cut-one-way", "packets of a link vanish in one direction", ONE_WAY, 1, 9),
    Kind("cut-link", "packets of a link vanish", BOTH_WAYS, 1, 9),
    Kind("cut-host", "a host hears nobody and nobody hears it", (*NODES, "witness"), 2, 9),
    Kind("flap", "a link goes and comes", BOTH_WAYS, 3, 9),
    Kind("loss", "a third of a link's packets vanish", BOTH_WAYS, 3, 9),
    Kind("delay", "every packet of a link is late, some overtake others", BOTH_WAYS, 3, 9),
    Kind("slow-link", "300 kbit/s are left of a link", ("town:primary", "cross:primary"), 3, 9),
    Kind("disk-full", "no space is left", (*NODES, "witness"), 2, 9),
    Kind("disk-hung", "every write waits", (*NODES, "witness"), 1, 9),
    Kind("disk-slow", "every fsync is late", (*NODES, "witness"), 3, 9),
    Kind("disk-failing", "every fsync fails", (*NODES, "witness"), 0.5, 5),
    Kind("clock-jump", "the wall clock is set by an hour, then right", (*NODES, "witness"), 3, 9),
    Kind("disk-broken", "the filesystem turned read-only; repaired by a boot", NODES, 2, 8),
    Kind("power-loss", "a host without power: what was not fsynced is gone", NODES, 1, 8),
    Kind("blackout", "both nodes and the witness without power at once", ("all",), 0.5, 4),
    Kind("witness-killed", "SIGKILL of the witness", ("witness",), 0.5, 8),
    Kind("witness-frozen", "SIGSTOP of the witness", ("witness",), 1, 9),
    Kind("witness-power-loss", "the witness's host without power", ("witness",), 1, 8),
    Kind("witness-rolled-back", "the witness with an old record", ("witness",), 4, 8),
    Kind("cancelled-commits", "commits that wait are cancelled", ("primary",), 2, 5),
    Kind("switchover", "an operator asks for it while all this happens", ("primary",), 3, 6),
    Kind("handover", "a UPS or a mirror asks the primary to hand over", ("primary",), 3, 6),
    Kind("pause", "an operator switches automatic takeover off, then on", ("primary",), 4, 9),
    Kind("terminals-killed", "SIGKILL of the counters' programs", ("office", "branch"), 0.2, 3),
)
BY_NAME: Final = {one.name: one for one in KINDS}
