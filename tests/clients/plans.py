"""Plans of settings folders that tests write."""

from pathlib import Path

from clients.ops.init import server_plan
from config.folder import Plan


def servers(home: Path) -> Plan:
    """Two real servers with two links, a witness, one counter, one bank."""
    return server_plan(
        home,
        "board",
        nodes=(("a", ["10.0.0.1", "10.1.0.1"]), ("b", ["10.0.0.2", "10.1.0.2"])),
        witness="10.0.0.3",
        counters=1,
        banks=("SBI",),
    )
