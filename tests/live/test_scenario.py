"""The scripted day on a real demo: floats to slips, the primary's power cut in the middle."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

LIMIT_S = 240


@pytest.mark.long
def test_a_days_books_agree_to_the_paisa() -> None:
    words = ("-m", "clients", "demo", "run", "--")
    play = (sys.executable, "-m", "clients.demo.scenario", "DAY")
    done = subprocess.run(
        [sys.executable, *words, *play],
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
        env=os.environ,
    )
    assert done.returncode == 0, done.stderr[-3000:] + done.stdout
    assert "the primary, is cut" in done.stderr
    assert done.stdout.splitlines()[-1].endswith("all agree to the paisa")
