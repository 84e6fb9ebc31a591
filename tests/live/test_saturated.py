"""A machine whose processors are eaten: no failover for it; what really stands still is found.

Four busy processes a core run beside the whole pair, at the same niceness. `make test-all` asks for
a minute of it (MPOWER_SATURATED_S); run by itself it takes twenty seconds.

What the first test cannot show: that hunger is told from a hang. With `Hunger.explains` always
False it passes too, since four busy processes a core leave a probe its turn; with forty a core it
then fails ("PostgreSQL does not answer", handed over). tests/cluster/postgres/test_hunger.py holds
the judgement itself; here the whole pair stays as it is.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.live.pair import Pair, live_pair

pytestmark = pytest.mark.long

SATURATED_S = float(os.environ.get("MPOWER_SATURATED_S", "20"))
A_CORE = 4
BUSY = """
import sys, time
end = time.monotonic() + float(sys.argv[1])
while time.monotonic() < end: pass
"""
CAP_S = 20.0
"""The machine's own (cluster.timers.starved_s); what follows it takes seconds here."""


@contextmanager
def saturated(for_s: float) -> Iterator[None]:
    """Busy processes, which end by themselves whatever happens to this one."""
    count = A_CORE * (os.cpu_count() or 1)
    argv = [sys.executable, "-S", "-c", BUSY, f"{for_s:g}"]
    eaters = [subprocess.Popen(argv) for _ in range(count)]
    try:
        yield
    finally:
        for eater in eaters:
            eater.kill()
        for eater in eaters:
            eater.wait()


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with live_pair() as pair:
        pair.start("w", "a", "b")
        pair.wait("all answer", lambda seen: {seen.state("a"), seen.state("b")} == {"READING"})
        pair.bootstrap("a")
        pair.wait("in sync", lambda seen: seen.in_sync("a", "b"), 90.0)
        yield pair


def test_nobody_takes_over_while_the_machine_is_saturated(pair: Pair) -> None:
    with saturated(SATURATED_S + 30.0):
        time.sleep(SATURATED_S)
    seen = pair.wait("in sync again", lambda seen: seen.in_sync("a", "b"), 60.0)
    assert seen.data["term"] == 1, pair.story("It was handed over.")


def test_a_postmaster_that_is_stopped_meanwhile_is_found_within_the_cap(pair: Pair) -> None:
    with saturated(90.0):
        time.sleep(5.0)
        postmaster, began_s = pair.postmaster("a"), time.monotonic()
        os.kill(postmaster, signal.SIGSTOP)
        seen = pair.wait("b serves", lambda seen: seen.data["primary"] == "b", CAP_S)
    print(f"stopped while saturated: b is primary after {time.monotonic() - began_s:.1f} s")
    assert seen.data["term"] == 2
