"""What the supervisor hears, on a real socket; nothing where there is none, and never an error."""

import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cluster.supervisor import Supervisor


@contextmanager
def listening(name: str) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one:
        one.settimeout(5)
        one.bind(name)
        yield one


@pytest.mark.parametrize("abstract", [False, True])
def test_each_message_is_one_datagram(abstract: bool) -> None:
    with tempfile.TemporaryDirectory() as room:
        path = f"{room}/notify"
        with listening(f"\0{path}" if abstract else path) as heard:
            said = Supervisor({"NOTIFY_SOCKET": f"@{path}" if abstract else path})
            said.ready()
            said.alive()
            said.stopping()
            assert [heard.recv(100) for _ in range(3)] == [
                b"READY=1",
                b"WATCHDOG=1",
                b"STOPPING=1",
            ]


def test_the_watchdog_is_fed_three_times_within_its_limit() -> None:
    said = Supervisor({"NOTIFY_SOCKET": "/nowhere", "WATCHDOG_USEC": "15000000"}, pid=7)
    assert said.feed_s == pytest.approx(5.0)


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"WATCHDOG_USEC": "15000000"},
        {"NOTIFY_SOCKET": "/nowhere"},
        {"NOTIFY_SOCKET": "/nowhere", "WATCHDOG_USEC": "soon"},
        {"NOTIFY_SOCKET": "/nowhere", "WATCHDOG_USEC": "15000000", "WATCHDOG_PID": "8"},
    ],
)
def test_nobody_watches(environment: dict[str, str]) -> None:
    assert Supervisor(environment, pid=7).feed_s == 0


def test_a_supervisor_that_is_gone_or_full_does_no_harm() -> None:
    Supervisor({"NOTIFY_SOCKET": "/nowhere/at/all"}).ready()
    with tempfile.TemporaryDirectory() as room:
        path = str(Path(room) / "notify")
        with listening(path):
            said = Supervisor({"NOTIFY_SOCKET": path})
            for _ in range(5000):
                said.alive()
