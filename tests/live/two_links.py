"""A real pair on two networks of a cage, links cut and mended: what it did, as JSON lines.

    python -m tests.live.two_links HOME        (needs root and network namespaces)

Everything runs in namespaces of its own and ends with them. It only strikes and reports; the test
beside it judges.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from config.folder import Plan, write_settings
from config.settings import NodeAddress
from tests.live.pair import Pair, Seen
from tests.torture import cage, network

STAY_S = 3.0


class Caged(Pair):
    """Each process in the network of its own host."""

    def program(self, name: str) -> list[str]:
        return network.inside(name, *super().program(name))


def node(name: str) -> NodeAddress:
    links = [f"{network.address(name, one)}:7701" for one in ("town", "cross")]
    town = network.address(name, "town")
    return NodeAddress(name=name, peer=links, terminals=f"{town}:7700", postgres=f"{town}:5432")


def made(home: Path) -> Caged:
    data = {name: home / f"data-{name}" for name in ("a", "b")}
    plan = Plan(
        home=home / "board",
        name="demo",
        nodes=(node("a"), node("b")),
        witness=f"{network.address('w', 'town')}:7702",
        node_data=data,
        wal_keep_mb=128,
    )
    pair = Caged(write_settings(plan), home / "board", data)
    (home / "board").chmod(0o755)
    return pair


class Writer:
    """Commits a small write after the other on a; how long the longest waited."""

    def __init__(self, pair: Pair) -> None:
        self.worst_s = 0.0
        self.count = 0
        self._began_s = time.monotonic()
        self._stop = False
        socket = pair.data["a"] / "postgres" / "run"
        self._conninfo = f"host={socket} port=5432 dbname=postgres user=postgres"
        self._thread = threading.Thread(target=self._work, daemon=True)

    def _work(self) -> None:
        with psycopg.connect(self._conninfo, autocommit=True) as base:
            base.execute("CREATE TABLE IF NOT EXISTS written (n int)")
            while not self._stop:
                self._began_s = time.monotonic()
                base.execute("INSERT INTO written VALUES (1)")
                self.worst_s = max(self.worst_s, time.monotonic() - self._began_s)
                self.count += 1
                time.sleep(0.01)

    def start(self) -> None:
        self._thread.start()

    def end(self) -> float:
        self._stop = True
        self._thread.join(10)
        return max(self.worst_s, 0.0)


def both(net: str) -> Iterator[tuple[str, str, str]]:
    yield net, "a", "b"
    yield net, "b", "a"


STRIKES: dict[str, tuple[tuple[str, str, str], ...]] = {
    "town": tuple(both("town")),
    "cross": tuple(both("cross")),
    "town, a to b": (("town", "a", "b"),),
    "town, b to a": (("town", "b", "a"),),
    "all between the nodes": (*both("town"), *both("cross")),
}


@contextmanager
def cut(ways: tuple[tuple[str, str, str], ...]) -> Iterator[None]:
    for way in ways:
        network.cut(network.Way(*way))
    try:
        yield
    finally:
        for way in ways:
            network.mend(network.Way(*way))


def strike(pair: Pair, what: str) -> dict[str, Any]:
    writer = Writer(pair)
    writer.start()
    time.sleep(1.0)
    before = pair.look().data["record"]["epoch"]
    with cut(STRIKES[what]):
        time.sleep(STAY_S)
        during = pair.look()
        worst_s = writer.worst_s
    mended = pair.wait("in sync", lambda seen: seen.in_sync("a", "b"), 60)
    writer.end()
    return {
        "what": what,
        "worst_ms": round(worst_s * 1000),
        "epochs": during.data["record"]["epoch"] - before,
        "state": during.state("a"),
        "alarms": sorted(during.node("a")["alarms"]),
        "alarms_b": sorted(during.node("b").get("alarms", [])),
        "term": mended.data["term"],
    }


def flap(pair: Pair) -> dict[str, Any]:
    writer = Writer(pair)
    writer.start()
    before = pair.look().data["record"]["epoch"]
    seen: Seen = pair.look()
    for _ in range(6):
        with cut(STRIKES["town"]):
            time.sleep(0.7)
        time.sleep(0.5)
    seen = pair.look()
    worst_s = writer.worst_s
    pair.wait("in sync", lambda seen: seen.in_sync("a", "b"), 60)
    writer.end()
    epochs = seen.data["record"]["epoch"] - before
    return {"what": "flapping", "worst_ms": round(worst_s * 1000), "epochs": epochs}


def story() -> int:
    network.build()
    home = Path(os.environ["TWO_LINKS_HOME"])
    pair = made(home)
    try:
        pair.start("w", "a", "b")
        pair.wait("all answer", lambda seen: {seen.state("a"), seen.state("b")} == {"READING"})
        pair.bootstrap("a")
        pair.wait("b is in sync", lambda seen: seen.in_sync("a", "b"), 60)
        for what in STRIKES:
            print(json.dumps(strike(pair, what)), flush=True)
            pair.wait("quiet", lambda seen: not seen.node("a")["alarms"], 30)
        print(json.dumps(flap(pair)), flush=True)
    finally:
        pair.close()
    return 0


if __name__ == "__main__":
    if os.getpid() == 1:
        sys.exit(cage.live(story))
    os.environ["TWO_LINKS_HOME"] = sys.argv[1]
    sys.exit(cage.enter(["-m", "tests.live.two_links"]))
