"""Striking twice: what is cut or frozen already is left so, and that is said."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from clients.demo import mending, running, strokes, wires
from clients.demo.running import Running


@pytest.fixture
def demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    """A demo of one service, a process that waits."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    service = running.process(child.pid)
    assert service is not None
    yield Running(str(tmp_path), service, {"a": service})
    strokes.thaw([service])
    child.kill()
    child.communicate()


def test_a_service_is_cut_off_once(demo: Running) -> None:
    assert mending.partition(demo, "a")
    assert not mending.partition(demo, "a")
    assert mending.partition(demo, "links")
    assert wires.cuts_of(Path(demo.home)) == {"a", "links"}
    assert mending.heal(demo, "a")
    assert mending.partition(demo, "a"), "healed, it can be cut again"


def test_a_service_is_frozen_once_and_thawed_by_healing(demo: Running) -> None:
    running.keep(demo)
    assert mending.freeze(demo, "a")
    noted = running.find()
    assert noted is not None
    assert not mending.freeze(noted, "a")
    assert mending.heal(noted, "a")
    thawed = running.find()
    assert thawed is not None
    assert thawed.frozen == {}
