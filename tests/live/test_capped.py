"""A pair that takes over too often: it pauses itself, says so, and goes on when a person says so.

What fails travels with the role here: whoever is primary loses its postmaster.
"""

import os
import signal
import time
from collections.abc import Iterator

import pytest
from msgspec import structs

from config.settings import TimersSettings
from tests.live.pair import Pair, Seen, live_pair

pytestmark = pytest.mark.long
CAP = 2
TAKEOVER_S = 2.0
"""The default silence after which a standby claims."""


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    timers = structs.replace(TimersSettings(), takeovers_per_hour=CAP)
    with live_pair(timers=timers) as pair:
        pair.start("w", "a", "b")
        pair.wait("all answer", lambda seen: {seen.state("a"), seen.state("b")} == {"READING"})
        pair.bootstrap("a")
        pair.wait("b is in sync", lambda seen: seen.in_sync("a", "b"))
        yield pair


def lose(pair: Pair, node: str) -> None:
    os.kill(pair.postmaster(node), signal.SIGKILL)


def alarmed(seen: Seen) -> list[str]:
    return [name for name in ("a", "b") if "takeovers-capped" in seen.node(name).get("alarms", [])]


def test_the_takeover_that_reaches_the_cap_is_the_last_one(pair: Pair) -> None:
    lose(pair, "a")
    seen = pair.wait("b is primary of two copies", lambda seen: seen.in_sync("b", "a"))
    assert (seen.data["record"]["paused"], alarmed(seen)) == (False, []), pair.story("Too early.")
    lose(pair, "b")
    seen = pair.wait("a is open", lambda seen: seen.data["primary"] == "a")
    record = seen.data["record"]
    assert (record["paused"], record["capped"], record["term"]) == (True, True, 3)
    assert f"paused: {CAP} automatic takeovers within an hour" in record["reason"]
    pair.wait("people are told", lambda seen: "a" in alarmed(seen))
    assert pair.look().data["primary"] == "a", "it serves on"


def test_while_it_is_paused_nobody_takes_over(pair: Pair) -> None:
    """The daemon that a person starts brings the second copy back; the role still stays."""
    pair.processes["b"].terminate()
    pair.processes["b"].wait(10)
    pair.start("b")
    pair.wait("b is in sync", lambda seen: seen.in_sync("a", "b"))
    lose(pair, "a")
    pair.wait("nobody serves", lambda seen: seen.data["primary"] is None)
    end_s = time.monotonic() + 2 * TAKEOVER_S
    while time.monotonic() < end_s:
        seen = pair.look()
        assert (seen.data["primary"], seen.data["term"]) == (None, 3), pair.story(str(seen))


def test_a_person_says_go_on_and_they_are_counted_anew(pair: Pair) -> None:
    said = pair.command("cluster", "resume")
    assert said.returncode == 0, pair.story(said.stderr)
    seen = pair.wait(
        "two copies, whoever was quicker: the other server, or a start in place",
        lambda seen: seen.in_sync("a", "b") or seen.in_sync("b", "a"),
    )
    record = seen.data["record"]
    assert (record["paused"], record["capped"]) == (False, False)
    assert len(record["takeovers"]) == record["term"] - 3 <= 1, "counted anew"
    pair.wait("the alarm is over", lambda seen: alarmed(seen) == [])
