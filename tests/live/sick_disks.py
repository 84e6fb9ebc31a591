"""A real pair whose nodes have disks of their own, which fill up and freeze: what it did, as JSON
lines.

    python -m tests.live.sick_disks HOME        (needs root, loop devices and namespaces)

Everything runs in a cage and ends with it, mounts and all. It only strikes and reports; the test
beside it judges.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from msgspec import structs

from clients.ops.init import loopback_plan
from config.folder import write_settings
from tests.live.pair import Pair, Seen
from tests.torture import cage
from tests.torture.disk import Disk, images_in

DISK_MB = 1200
"""Two copies of an empty database during a clone, its kept log, and the ballast."""
STAY_S = 5.0
REJOIN_S = 60.0


class Sick:
    """A pair, and the disks below it."""

    def __init__(self, home: Path) -> None:
        images = images_in(home)
        self.disks = {name: Disk(home / "disks" / name, DISK_MB, images) for name in ("a", "b")}
        data = {name: disk.at / "data" for name, disk in self.disks.items()}
        plan = structs.replace(
            loopback_plan(home / "board", "demo"), node_data=data, wal_keep_mb=64
        )
        self.pair = Pair(write_settings(plan), home / "board", data)
        (home / "board").chmod(0o755)

    def begin(self) -> None:
        self.pair.start("w", "a", "b")
        self.pair.wait("all answer", lambda it: {it.state("a"), it.state("b")} == {"READING"})
        self.pair.bootstrap("a")
        self.pair.wait("b is in sync", lambda it: it.in_sync("a", "b"), REJOIN_S)

    def struck(
        self, what: str, victim: str, heir: str, sick: Callable[[], None], well: Callable[[], None]
    ) -> dict[str, Any]:
        """Make the victim's disk sick, see the other take over, look a while, make it well."""
        alone = lambda it: it.data["primary"] == heir  # noqa: E731 - it is passed on
        struck_s = time.time()
        sick()
        try:
            seen = self.pair.wait(f"{heir} serves", alone, REJOIN_S)
            time.sleep(STAY_S)
            later = self.pair.look()
        finally:
            well()
        self.pair.wait("two copies", lambda it: it.in_sync(heir, victim), REJOIN_S)
        return {
            "what": what,
            "claimed_ms": round((seen.entered(heir, "CLAIMING") - struck_s) * 1000),
            "open_ms": round((seen.entered(heir, "PRIMARY_SOLO") - struck_s) * 1000),
            "claim": next(
                line["text"]
                for line in reversed(seen.node(heir)["history"])
                if line["state"] == "CLAIMING"
            ),
            "alarms": sorted(later.node(victim).get("alarms", [])),
            "lines": _lines(later, victim, struck_s),
            "term": later.data["term"],
        }


def _lines(seen: Seen, node: str, since_s: float) -> list[str]:
    return [line["text"] for line in seen.node(node)["history"] if line["wall_s"] > since_s]


def story() -> int:
    home = Path(os.environ["SICK_DISKS_HOME"])
    rig = Sick(home)
    try:
        rig.begin()
        a, b = rig.disks["a"], rig.disks["b"]
        print(json.dumps(rig.struck("full", "a", "b", a.fill, a.empty)), flush=True)
        print(json.dumps(rig.struck("hung", "b", "a", b.freeze, b.thaw)), flush=True)
    finally:
        for disk in rig.disks.values():
            disk.thaw()
        rig.pair.close()
    return 0


if __name__ == "__main__":
    if os.getpid() == 1:
        sys.exit(cage.live(story))
    os.environ["SICK_DISKS_HOME"] = sys.argv[1]
    sys.exit(cage.enter(["-m", "tests.live.sick_disks"]))
