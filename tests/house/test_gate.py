"""What CI leans on: a leftover process is seen, and a group that cannot run is named.

Both are tried with a planted case: a sleeper that detached itself, and a test that needs TLS on a
machine where no PostgreSQL can speak it.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.sources import HOUSE

DETACHED = "(setsid sleep 60 >/dev/null 2>&1 &)"
STUBBORN = "(trap '' TERM; setsid sh -c 'sleep 60; sleep 60' >/dev/null 2>&1 &)"


def leave_nothing(script: str) -> subprocess.CompletedProcess[str]:
    """Run ``script`` in a shell under the watch of .ci/leave-nothing, with a short grace."""
    return subprocess.run(
        [sys.executable, HOUSE / ".ci" / "leave-nothing", "sh", "-c", script],
        env={**os.environ, "LEAVE_NOTHING_GRACE_S": "0.3"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("script", [DETACHED, STUBBORN])
def test_a_process_left_behind_is_named_and_ended(script: str) -> None:
    said = leave_nothing(script)
    assert said.returncode == 1
    left = said.stderr.split("left behind: ")[1].split()
    assert "sleep" in said.stderr
    assert not Path("/proc", left[0]).exists()


def test_a_clean_command_keeps_its_status() -> None:
    assert leave_nothing("exit 0").returncode == 0
    assert leave_nothing("exit 3").returncode == 3
    assert leave_nothing("sleep 0.05 &").returncode == 0


def run_without_tls(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run one tls test and one plain test where no PostgreSQL is installed."""
    conftest = (HOUSE / "tests" / "conftest.py").read_text()
    assert "/usr/lib/postgresql" in conftest
    conftest = conftest.replace("/usr/lib/postgresql", str(folder / "nothing"))
    (folder / "conftest.py").write_text(conftest)
    (folder / "test_two.py").write_text(
        "import pytest\n\n@pytest.mark.tls\ndef test_tls(): ...\n\ndef test_plain(): ...\n"
    )
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder)],
        env={"PATH": "/nonexistent", "HOME": str(folder), **environment},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_tls_group_is_named_where_it_cannot_run(tmp_path: Path) -> None:
    said = run_without_tls(tmp_path)
    assert said.returncode == 0
    assert "left out: group tls (1 tests)" in said.stdout
    assert "1 passed, 1 deselected" in said.stdout


def test_ci_does_not_leave_the_tls_group_out(tmp_path: Path) -> None:
    said = run_without_tls(tmp_path, CI="true")
    assert said.returncode != 0
    assert "install postgresql" in said.stdout + said.stderr
