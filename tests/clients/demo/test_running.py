"""Real processes: named by pid and start time, signalled with their family, never a stranger."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from clients.demo import mending, running, strokes
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


def test_what_a_killed_demo_left_is_ended_and_only_that(
    parent: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    head = _named(parent.pid)
    gone = msgspec.structs.replace(head, started=head.started + 1)
    left = running.Running(str(tmp_path / "home"), gone, {"a": head, "b": gone})
    members = running.leftovers(left)
    assert members[0] == head
    assert mending.clear(left) == len(members) == 2
    parent.wait(5)
    assert running.leftovers(left) == []


def test_only_a_pointed_demo_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    here = running.Running(str(tmp_path), _named(os.getpid()), {})
    running.keep(here, pointed=False)
    assert running.find() is None
    running.keep(here)
    assert running.find() == here
    running.forget(tmp_path)
    assert running.find(living=False) is None
