"""Which kinds of fault this machine can do: tried before anything runs, each lack a sentence.

What every kind needs is asked in ``needs``, outside the cage. This file makes the networks, because
only in them can it be tried whether packets can be slowed.
"""

from __future__ import annotations

from tests.torture import network
from tests.torture.network import Way
from tests.torture.relay import Delay
from tests.torture.system import RigError


def build() -> dict[str, str]:
    """Make the networks; the kinds that are left out here, and why."""
    network.build()
    lacks = {}
    if not network.branch_line():
        lacks["slow-link"] = "This kernel has no tbf; the branch has a fast line."
    try:
        Delay(Way("town", "s", "t"), 1, 0.0).end()
    except (RigError, OSError) as no:
        lacks["delay"] = f"This kernel has no queue for packets: {no}"
    return lacks
