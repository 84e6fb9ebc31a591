"""Real processes: named by pid and start time, signalled with their family, never a stranger."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator

import msgspec
import pytest

from clients.demo import running, strokes
from clients.demo.running import Process

PARENT = (
    "import subprocess, sys; child = subprocess.Popen([sys.executable, '-c',"
    " 'import time; time.sleep(60)']); print(child.pid, flush=True); child.wait()"
)


@pytest.fixture
def parent() -> Iterator[subprocess.Popen[bytes]]:
    started = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE)
    assert started.stdout is not None
    started.stdout.readline()
    family = running.family(_named(started.pid))
    yield started
    for one in family:
        one.send(signal.SIGKILL)
    started.wait()
    started.stdout.close()


def _named(pid: int) -> Process:
    found = running.process(pid)
    assert found is not None
    return found


def test_a_kill_takes_the_whole_family(parent: subprocess.Popen[bytes]) -> None:
    head = _named(parent.pid)
    members = running.family(head)
    assert len(members) == 2
    assert strokes.kill(head) == members
    parent.wait(5)
    assert strokes.gone(members, 5)
    assert running.family(head) == []


def test_freeze_and_thaw(parent: subprocess.Popen[bytes]) -> None:
    members = strokes.freeze(_named(parent.pid))
    assert len(members) == 2
    assert not strokes.gone(members, 0.1)
    strokes.thaw(members)
    assert all(one.alive() for one in members)


def test_a_pid_given_to_somebody_else_is_never_signalled(parent: subprocess.Popen[bytes]) -> None:
    head = _named(parent.pid)
    stranger = msgspec.structs.replace(head, started=head.started + 1)
    assert not stranger.alive()
    assert not stranger.send(signal.SIGKILL)
    assert strokes.kill(stranger) == []
    assert head.alive()
