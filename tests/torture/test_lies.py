"""A program that is lied to believes it, is counted, and hears the truth again; who stands in
another network hears nothing of it.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.torture.lies import Lies, build

pytestmark = [pytest.mark.cage, pytest.mark.compiler]

ASK = """
import json, os, sys, time
file = os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY)
began = time.monotonic()
try:
    os.fsync(file); os.fdatasync(file); wrong = 0
except OSError as no:
    wrong = no.errno
print(json.dumps([time.time(), time.monotonic() - began, wrong]))
"""
EIO = 5


@pytest.fixture
def lies(tmp_path: Path) -> Lies:
    _, folder = build(tmp_path)
    return Lies(folder, Path("/proc/self/ns/net"))


def asked(lies: Lies, tmp_path: Path, *before: str) -> tuple[float, float, int]:
    words = [*before, sys.executable, "-c", ASK, str(tmp_path / "file")]
    loaded = {**os.environ, "LD_PRELOAD": str(tmp_path / "lies.so")}
    now, took_s, wrong = json.loads(subprocess.check_output(words, env=loaded, timeout=30))
    true = float(subprocess.check_output(["date", "+%s"], timeout=30))
    return now - true, took_s, wrong


def test_a_clock_is_off_until_it_is_set_right(lies: Lies, tmp_path: Path) -> None:
    for off_s in (3600, -3600, 0):
        lies.tell("clock_s", off_s)
        assert abs(asked(lies, tmp_path)[0] - off_s) < 60
    assert lies.met("clock_s") > 0


def test_an_fsync_is_late_and_an_fsync_fails(lies: Lies, tmp_path: Path) -> None:
    assert asked(lies, tmp_path)[2] == lies.met("late_ms") == lies.met("failing") == 0
    lies.tell("late_ms", 700)
    assert asked(lies, tmp_path)[1] >= 1.4
    lies.tell("late_ms", 0)
    lies.tell("failing", 1)
    assert asked(lies, tmp_path)[2] == EIO
    lies.tell("failing", 0)
    assert (lies.met("late_ms"), lies.met("failing")) == (2, 1)


def test_another_network_hears_the_truth(lies: Lies, tmp_path: Path) -> None:
    lies.tell("clock_s", 3600)
    assert abs(asked(lies, tmp_path, "unshare", "--net")[0]) < 60
