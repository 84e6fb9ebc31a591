"""Which kinds of fault this machine can do: tried before anything runs, each lack a sentence.

What every kind needs is asked in ``needs``, outside the cage. This file makes the networks and
spreads the lies: only there can it be tried whether a packet is late and a lie believed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tests.torture import network
from tests.torture.lies import Lies, believed, spread
from tests.torture.network import Way
from tests.torture.relay import Delay
from tests.torture.system import RigError

DECEITS: Final = ("disk-slow", "disk-failing", "clock-jump")


def build(home: Path) -> tuple[dict[str, Lies], dict[str, str]]:
    """Make the networks; who can be lied to, and the kinds that are left out here, and why."""
    network.build()
    lies: dict[str, Lies] = {}
    lacks: dict[str, str] = {}
    try:
        folder = spread(home)
        lies = {host: Lies(folder, Path("/run/netns", host)) for host in ("a", "b", "w")}
        if not believed(lies["a"], "a"):
            raise RigError("A program of a host is told the truth all the same.")
    except RigError as no:
        lacks |= dict.fromkeys(DECEITS, str(no))
    if not network.branch_line():
        lacks["slow-link"] = "This kernel has no tbf; the branch has a fast line."
    try:
        Delay(Way("town", "s", "t"), 1, 0.0).end()
    except (RigError, OSError) as no:
        lacks["delay"] = f"This kernel has no queue for packets: {no}"
    return lies, lacks
